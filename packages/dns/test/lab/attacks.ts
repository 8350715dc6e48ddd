/**
 * One attack on a server on this host, `attacks.ts NAME PORT`, with an honest client beside it that asks over UDP and by TCP. Prints
 * how often that one asked, and how often it was answered in time.
 */
import { createSocket } from "node:dgram";
import { type Socket, connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Name, TYPE, encodeMessage, query } from "../../src/index.ts";

const [attack = "", portText = ""] = process.argv.slice(2);
const port = Number(portText);
const address = "127.0.0.1";

/** Numbers that are the same in every run. */
let state = 1;
const random = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % below;
};
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)));
const question = (type: number): Uint8Array =>
  encodeMessage({ id: random(65_536), question: { name: Name.parse("example."), type } });
const framed = (message: Uint8Array): Buffer =>
  Buffer.concat([Uint8Array.of(message.length >> 8, message.length), message]);

const sockets = new Set<Socket>();
/** A connection from one of 250 addresses. */
function open(): Socket {
  const socket = connect({ host: address, port, localAddress: `127.0.1.${1 + random(250)}`, allowHalfOpen: true });
  sockets.add(socket);
  // To be thrown out is what an attacker must expect.
  socket.on("error", () => undefined);
  socket.on("close", () => sockets.delete(socket));
  return socket;
}

const ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  async garbage() {
    const socket = createSocket("udp4");
    const honest = Buffer.from(question(TYPE.SOA));
    for (let i = 0; i < 20_000; i++) {
      const datagram = i % 2 === 0 ? noise(random(600)) : Buffer.from(honest);
      // Half are queries with a few octets changed, which get further.
      if (i % 2 === 1) for (let n = 0; n < 3; n++) datagram[random(datagram.length)] = random(256);
      socket.send(datagram, port, address);
      if (i % 200 === 0) await pause(5);
    }
    socket.close();
  },
  async garbageTcp() {
    for (let i = 0; i < 400; i++) {
      const socket = open().resume();
      for (let n = 0; n < 5; n++) socket.write(i % 2 === 0 ? noise(random(3000)) : framed(noise(random(200))));
      if (i % 20 === 0) await pause(10);
    }
  },
  async connections() {
    for (let i = 0; i < 10_000; i++) {
      open();
      if (i % 100 === 0) await pause(10);
    }
  },
  async drip() {
    for (let i = 0; i < 300; i++) open().write(Uint8Array.of(0x0f, 0xff));
    for (let n = 0; n < 40; n++) {
      for (const socket of sockets) socket.write(Uint8Array.of(0));
      await pause(100);
    }
  },
  async pipeline() {
    const one = framed(question(TYPE.NS));
    const queries = Buffer.concat(Array.from({ length: 100_000 }, () => one));
    for (let i = 0; i < 8; i++) open().pause().write(queries);
    await pause(3000);
  },
  async halfClosed() {
    for (let i = 0; i < 200; i++)
      open()
        .resume()
        .end(framed(question(TYPE.AXFR)));
    await pause(1000);
  },
};

const honest = { asked: 0, answered: 0, over: false };
async function ask(): Promise<void> {
  for (; !honest.over; honest.asked++) {
    const tcp = honest.asked % 2 === 1;
    // As resolvers do: a query that is lost, or whose connection had to make room, is repeated.
    for (let tries = 0; tries < 3; tries++) {
      const asking = query(Name.parse("host.example."), TYPE.A, { address, port, tcp, timeout: 5000 });
      const message = await asking.catch(() => undefined);
      if (message?.answers.length !== 1) continue;
      honest.answered++;
      break;
    }
    await pause(50);
  }
}

const asking = ask();
await (ATTACKS[attack] ?? (() => Promise.reject(new TypeError(`no attack ${attack}`))))();
// What it left open still weighs on the server.
while (honest.asked < 4) await pause(50);
honest.over = true;
await asking;
for (const socket of sockets) socket.destroy();
process.stdout.write(JSON.stringify(honest));
