/**
 * Asks name servers for one name, again and again, until each has answered with a record; prints when each first did, as
 * `{"ADDRESS PORT": milliseconds since 1970}`. Run on the client host: node dns-poll.ts NAME TYPE ADDRESS PORT [ADDRESS PORT]...
 */
import { setTimeout as pause } from "node:timers/promises";
import { ExchangeError, Name, parseType, query } from "@trivet/dns";

const PACE = 5;
const PATIENCE = 60_000;

const [name = "", type = "", ...endpoints] = process.argv.slice(2);
const end = Date.now() + PATIENCE;

async function first(address: string, port: number): Promise<number | undefined> {
  while (Date.now() < end) {
    try {
      const { answers } = await query(Name.parse(name), parseType(type), { address, port, timeout: 500 });
      if (answers.length > 0) return Date.now();
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
    }
    await pause(PACE);
  }
  return undefined;
}

const waits: Promise<[string, number | undefined]>[] = [];
for (let i = 0; i + 1 < endpoints.length; i += 2) {
  const [address = "", port = ""] = endpoints.slice(i, i + 2);
  waits.push(first(address, Number(port)).then((at) => [`${address} ${port}`, at]));
}
process.stdout.write("asking\n");
process.stdout.write(`${JSON.stringify(Object.fromEntries(await Promise.all(waits)))}\n`);
