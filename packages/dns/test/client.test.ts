import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { ExchangeError, Name, query } from "@trivet/dns";
import { expect, onTestFinished, test } from "vitest";
import { FLAG } from "../src/wire/codes.ts";
import { decodeMessage, encodeMessage } from "../src/wire/message.ts";

const HOST = Name.parse("host.example.");

/** An answer without records to a query, or to something like it. */
function answerTo(bytes: Uint8Array, { id, name, truncated = false }: Partial<Twist> = {}): Uint8Array {
  const asked = decodeMessage(bytes);
  return encodeMessage({
    id: id ?? asked.id,
    flags: FLAG.QR | (truncated ? FLAG.TC : 0),
    question: { name: name ?? HOST, type: 1 },
  });
}

interface Twist {
  readonly id: number;
  readonly name: Name;
  readonly truncated: boolean;
}

/** A name server over UDP that sends these in answer to each query. */
async function serve(answers: (query: Buffer) => readonly Uint8Array[]): Promise<{ address: string; port: number }> {
  const socket = createSocket("udp4");
  onTestFinished(() => void socket.close());
  socket.on("message", (bytes, { port, address }) => {
    for (const answer of answers(bytes)) socket.send(answer, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { address: "127.0.0.1", port: socket.address().port };
}

// fe80::1 without an interface and a broadcast address: connect(2) refuses both on every machine, as others without a route.
test.each(["fe80::1", "255.255.255.255"])("where no packet can be sent, at %s, the query fails", async (address) => {
  const asked = query(HOST, 1, { address, port: 53, timeout: 1_000 });
  await expect(asked).rejects.toThrow(/connect E[A-Z]+/);
  await expect(asked).rejects.toBeInstanceOf(ExchangeError);
});

test("datagrams that answer something else do not keep it from the answer", async () => {
  const at = await serve((bytes) => [
    Uint8Array.of(1, 2, 3),
    answerTo(bytes, { id: (decodeMessage(bytes).id + 1) & 0xffff }),
    answerTo(bytes, { name: Name.parse("other.example.") }),
    bytes,
    answerTo(bytes),
  ]);
  const { questions, flags } = await query(HOST, 1, at);
  expect(questions[0]?.name.equals(HOST)).toBe(true);
  expect(flags & FLAG.QR).toBe(FLAG.QR);
});

test("when nothing else comes, they are told in the end", async () => {
  const at = await serve((bytes) => [answerTo(bytes, { name: Name.parse("other.example.") })]);
  await expect(query(HOST, 1, { ...at, timeout: 50 })).rejects.toThrow("an answer to another question");
});

test("the timeout is for the whole exchange: not for the silence between octets that drip over TCP", async () => {
  const at = await serve((bytes) => [answerTo(bytes, { truncated: true })]);
  const dripping = createServer((socket) => {
    const timer = setInterval(() => socket.write(Uint8Array.of(0)), 20);
    socket.on("error", () => undefined).on("close", () => clearInterval(timer));
    // The length of the answer, which then never is complete.
    socket.write(Uint8Array.of(0xff, 0xff));
  });
  onTestFinished(() => void dripping.close());
  dripping.listen(at.port, "127.0.0.1");
  await once(dripping, "listening");
  expect((dripping.address() as AddressInfo).port).toBe(at.port);
  const began = performance.now();
  await expect(query(HOST, 1, { ...at, timeout: 200 })).rejects.toThrow("did not answer in time");
  expect(performance.now() - began).toBeLessThan(2_000);
});
