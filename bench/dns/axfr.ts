// Transfers the zone and times it: `axfr.ts RECORDS TIMES`. It only counts records, so that the server is what is measured. One
// line a transfer: milliseconds from the query to the last record, and octets.
import { connect } from "node:net";
import { Name, TYPE, encodeMessage } from "@trivet/dns";
import { ORIGIN, PORT } from "./zone.ts";

const [records = 0, times = 0] = process.argv.slice(2).map(Number);

async function transfer(): Promise<{ milliseconds: number; octets: number }> {
  const query = encodeMessage({ id: 1, question: { name: Name.parse(ORIGIN), type: TYPE.AXFR } });
  const socket = connect(PORT, "127.0.0.1");
  const started = performance.now();
  socket.write(Buffer.concat([Uint8Array.of(0, query.length), query]));
  let input: Buffer = Buffer.alloc(0);
  let seen = 0;
  let octets = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    octets += chunk.length;
    input = input.length === 0 ? chunk : Buffer.concat([input, chunk]);
    while (input.length >= 14 && input.length >= 2 + input.readUInt16BE(0)) {
      seen += input.readUInt16BE(8);
      input = input.subarray(2 + input.readUInt16BE(0));
    }
    if (seen >= records) break;
  }
  const milliseconds = performance.now() - started;
  socket.destroy();
  if (seen !== records) throw new RangeError(`${seen} records came, not ${records}`);
  return { milliseconds, octets };
}

for (let i = 0; i < times; i++) {
  const { milliseconds, octets } = await transfer();
  console.log(`${milliseconds.toFixed(2)} ${octets}`);
}
