/** A copy of the octets from `start` to `end`. Messages may come as a Buffer, whose `slice` is none. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - start);
  for (let i = start; i < end; i++) copy[i - start] = bytes[i] ?? 0;
  return copy;
}
