/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), which interoperable DNS cookies are made with (RFC 9018 §4.4). 64-bit words are
 * pairs of 32-bit halves, as BigInt is too slow for every query.
 *
 * @param key 16 octets
 * @returns 8 octets
 */
export function siphash24(key: Uint8Array, input: Uint8Array): Uint8Array {
  const word = (bytes: Uint8Array, at: number): number =>
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>>
    0;
  const [k0, k1, k2, k3] = [word(key, 0), word(key, 4), word(key, 8), word(key, 12)];
  // v0 to v3, each as low half, high half
  const v = Uint32Array.of(
    k0 ^ 0x70736575,
    k1 ^ 0x736f6d65,
    k2 ^ 0x6e646f6d,
    k3 ^ 0x646f7261,
    k0 ^ 0x6e657261,
    k1 ^ 0x6c796765,
    k2 ^ 0x79746573,
    k3 ^ 0x74656462,
  );
  const whole = input.length & ~7;
  for (let at = 0; at < whole; at += 8) compress(v, word(input, at), word(input, at + 4));
  const tail = new Uint8Array(8);
  tail.set(input.subarray(whole));
  tail[7] = input.length;
  compress(v, word(tail, 0), word(tail, 4));
  v[4] = (v[4] ?? 0) ^ 0xff;
  for (let i = 0; i < 4; i++) round(v);
  const out = new Uint8Array(8);
  const view = new DataView(out.buffer);
  view.setUint32(0, (v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0), true);
  view.setUint32(4, (v[1] ?? 0) ^ (v[3] ?? 0) ^ (v[5] ?? 0) ^ (v[7] ?? 0), true);
  return out;
}

function compress(v: Uint32Array, low: number, high: number): void {
  v[6] = (v[6] ?? 0) ^ low;
  v[7] = (v[7] ?? 0) ^ high;
  round(v);
  round(v);
  v[0] = (v[0] ?? 0) ^ low;
  v[1] = (v[1] ?? 0) ^ high;
}

function round(v: Uint32Array): void {
  add(v, 0, 2);
  rotate(v, 2, 13);
  xor(v, 2, 0);
  rotate(v, 0, 32);
  add(v, 4, 6);
  rotate(v, 6, 16);
  xor(v, 6, 4);
  add(v, 0, 6);
  rotate(v, 6, 21);
  xor(v, 6, 0);
  add(v, 4, 2);
  rotate(v, 2, 17);
  xor(v, 2, 4);
  rotate(v, 4, 32);
}

function add(v: Uint32Array, to: number, from: number): void {
  const low = (v[to] ?? 0) + (v[from] ?? 0);
  v[to] = low;
  v[to + 1] = (v[to + 1] ?? 0) + (v[from + 1] ?? 0) + (low > 0xffffffff ? 1 : 0);
}

function xor(v: Uint32Array, to: number, from: number): void {
  v[to] = (v[to] ?? 0) ^ (v[from] ?? 0);
  v[to + 1] = (v[to + 1] ?? 0) ^ (v[from + 1] ?? 0);
}

function rotate(v: Uint32Array, at: number, bits: number): void {
  const low = v[at] ?? 0;
  const high = v[at + 1] ?? 0;
  if (bits === 32) {
    v[at] = high;
    v[at + 1] = low;
  } else {
    v[at] = (low << bits) | (high >>> (32 - bits));
    v[at + 1] = (high << bits) | (low >>> (32 - bits));
  }
}
