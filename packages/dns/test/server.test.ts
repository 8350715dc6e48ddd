import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { createSocket } from "node:dgram";
import { Address } from "@trivet/ip";
import { eventually } from "@trivet/testing";
import { afterEach, describe, expect, test } from "vitest";
import {
  type ServerOptions,
  DnsServer,
  ExchangeError,
  Name,
  RecordError,
  TsigKey,
  ZoneStore,
  axfr,
  difference,
  ixfr,
  notify,
  query,
  recordText,
} from "../src/index.ts";
import { encodeMessage } from "../src/wire/message.ts";
import { UdpListener } from "../src/socket/udp.ts";
import type { ResourceRecord } from "../src/wire/record.ts";
import { Zone } from "../src/zone/zone.ts";
import { zoneOf } from "./support.ts";

const ORIGIN = Name.parse("example.");
const HOST = Name.parse("host.example.");
const version = (serial: number, more = ""): Zone =>
  zoneOf(
    "example.",
    `@ 60 IN SOA ns admin ${serial} 2 3 4 5\n@ 60 NS ns\nhost 60 A 192.0.2.1\n$GENERATE 1-120 many 60 A 10.0.0.$\n${more}`,
  );
const LOCAL = { transfers: [{ from: ["127.0.0.0/8"] }] };

const running: DnsServer[] = [];
const sockets: Socket[] = [];

async function serve(
  zones: ZoneStore,
  options: Partial<ServerOptions> = LOCAL,
): Promise<{ address: string; port: number; server: DnsServer }> {
  const server = new DnsServer(zones, { listen: [{ address: "127.0.0.1", port: 0 }], ...options });
  running.push(server);
  const [endpoint = { address: "", port: 0 }] = await server.start();
  return { ...endpoint, server };
}

async function tcp(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

const framed = (id: number): Buffer => {
  const message = encodeMessage({ id, question: { name: HOST, type: 1 } });
  return Buffer.concat([Uint8Array.of(0, message.length), message]);
};

function stored(zone = version(1)): ZoneStore {
  const store = new ZoneStore();
  store.replace(zone);
  return store;
}

async function collect(records: AsyncIterable<ResourceRecord>): Promise<string[]> {
  const texts = [];
  for await (const record of records) texts.push(recordText(record));
  return texts;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of running.splice(0)) await server.stop();
});

describe.each([
  ["in the caller's thread", 0],
  ["with two workers", 2],
])("a server %s", (_, workers) => {
  test("answers over UDP, and by TCP what UDP has no room for (RFC 7766 §5)", async () => {
    const at = await serve(stored(), { workers });
    expect((await query(HOST, 1, at)).answers.map(recordText)).toEqual(["host.example. 60 IN A 192.0.2.1"]);
    expect((await query(Name.parse("many.example."), 1, at)).answers).toHaveLength(120);
    expect(at.server.counters).toMatchObject({ udpQueries: 2, tcpQueries: 1, truncated: 1, noerror: 3 });
  });

  test("sees changes of its zones, new ones and removed ones", async () => {
    const store = stored();
    const at = await serve(store, { workers });
    const ask = async (name: string): Promise<number> => (await query(Name.parse(name), 16, at)).rcode;
    const eventually = async (name: string, rcode: number): Promise<void> => {
      while ((await ask(name)) !== rcode);
    };
    expect(await ask("new.example.")).toBe(3);
    store.replace(version(2, "new 60 TXT x\n"));
    await eventually("new.example.", 0);
    store.replace(zoneOf("other.", "@ 60 IN SOA ns admin 1 2 3 4 5\n@ 60 NS ns\n"));
    await eventually("other.", 0);
    store.remove(ORIGIN);
    await eventually("host.example.", 5);
  });

  test("transfers a zone, and the changes since a version, signed", async () => {
    const store = stored();
    const secret = { name: "k.", algorithm: "hmac-sha512", secret: "c2VjcmV0" };
    const at = {
      ...(await serve(store, { workers, keys: [secret], transfers: [{ key: "k." }] })),
      key: new TsigKey("k.", "hmac-sha512", "c2VjcmV0"),
    };
    const before = version(1);
    const texts = await collect(axfr(ORIGIN, at));
    expect(texts).toHaveLength(124);
    expect(texts.at(-1)).toBe(texts[0]);
    store.apply(ORIGIN, difference(before, version(2, "new 60 TXT x\n")));
    let changes: ResourceRecord[] = [];
    while (changes.length < 2) changes = await ixfr(ORIGIN, before.soaRecord, at);
    expect(changes.map(({ type }) => type)).toEqual([6, 6, 6, 16, 6]);
    await expect(collect(axfr(ORIGIN, { address: at.address, port: at.port }))).rejects.toThrow(
      "transfer refused: REFUSED",
    );
    await expect(collect(axfr(ORIGIN, { ...at, key: new TsigKey("k.", "hmac-sha512", "b3RoZXI=") }))).rejects.toThrow(
      "BADSIG",
    );
  });
});

describe("RFC 7766: TCP", () => {
  test("queries may come all at once, in pieces, and are answered in order", async () => {
    const { port } = await serve(stored());
    const socket = await tcp(port);
    const all = Buffer.concat(Array.from({ length: 50 }, (_, i) => framed(i)));
    socket.write(all.subarray(0, 45));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.write(all.subarray(45, 1000));
    socket.end(all.subarray(1000));
    let input = Buffer.alloc(0);
    for await (const chunk of socket) input = Buffer.concat([input, chunk as Buffer]);
    const ids = [];
    for (let at = 0; at < input.length; at += 2 + input.readUInt16BE(at)) ids.push(input.readUInt16BE(at + 2));
    // The first answer was taken by the wait above.
    expect(ids).toEqual(Array.from({ length: 49 }, (_, i) => i + 1));
  });

  test("a client that has closed its side still gets all of a transfer", async () => {
    const { port } = await serve(stored());
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(socket);
    const message = encodeMessage({ id: 1, question: { name: ORIGIN, type: 252 } });
    socket.end(Buffer.concat([Uint8Array.of(0, message.length), message]));
    let octets = 0;
    for await (const chunk of socket) octets += (chunk as Buffer).length;
    expect(octets).toBeGreaterThan(120 * 16);
  });

  test("an idle connection is closed, a message that cannot be one too", async () => {
    const { port } = await serve(stored(), { tcp: { idleTimeout: 50 } });
    await once((await tcp(port)).resume(), "close");
    const long = await tcp(port);
    long.write(Uint8Array.of(0xff, 0xff, 1));
    await once(long.resume(), "close");
    const short = await tcp(port);
    short.write(Uint8Array.of(0, 2, 1, 2));
    await once(short.resume(), "close");
  });

  test("a query that comes octet by octet has no more time than one that does not come", async () => {
    const { port, server } = await serve(stored(), { tcp: { idleTimeout: 200 } });
    const slow = await tcp(port);
    slow.write(Uint8Array.of(0x0f, 0xff));
    const drip = setInterval(() => slow.write(Uint8Array.of(0)), 10);
    slow.on("error", () => undefined).resume();
    await new Promise((resolve) => slow.on("close", resolve));
    clearInterval(drip);
    expect(server.counters.tcpTimeouts).toBe(1);
  });

  test("one client gets so many connections and no more; with all in use, the one idle longest goes", async () => {
    const { port, server } = await serve(stored(), { tcp: { perClient: 3, connections: 2 } });
    const first = await tcp(port);
    const gone = once(first.resume(), "close");
    const second = await tcp(port);
    second.write(framed(1));
    await once(second, "data");
    const third = await tcp(port);
    await gone;
    third.write(framed(2));
    await once(third, "data");
    expect(server.counters.tcpRejected).toBe(1);
    const limited = await serve(stored(), { tcp: { perClient: 1 } });
    await tcp(limited.port);
    await once((await tcp(limited.port)).resume(), "close");
  });

  test("a client that reads nothing of a transfer holds nobody up, and is closed", async () => {
    const rdata = new Uint8Array(60_000);
    const large = Array.from({ length: 1000 }, (_, i) => ({
      name: Name.parse(`h${i}.example.`),
      type: 65280,
      ttl: 1,
      rdata,
    }));
    const small = version(1);
    const big = Zone.build(ORIGIN, [small.soaRecord, ...small.records(), ...large]);
    const at = await serve(stored(big), { ...LOCAL, tcp: { idleTimeout: 300 } });
    const socket = await tcp(at.port);
    socket.pause();
    const message = encodeMessage({ id: 1, question: { name: ORIGIN, type: 252 } });
    socket.write(Buffer.concat([Uint8Array.of(0, message.length), message]));
    expect((await query(HOST, 1, { ...at, tcp: true })).answers).toHaveLength(1);
    await eventually("the server gives up", async () => at.server.counters.tcpTimeouts > 0);
    // Bytes in flight still arrive once it reads; the end does not.
    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.on("error", () => undefined);
    socket.resume();
    await once(socket, "close");
    expect(received).toBeLessThan(60_000_000);
  });
});

describe("UDP", () => {
  const echo = (bytes: Uint8Array, length: number, client: Uint8Array, out: Uint8Array): number => {
    out.set(bytes.subarray(0, length));
    out.set(client, length);
    return length + client.length;
  };

  test.each([
    ["127.0.0.1", "in batches", undefined],
    ["::1", "in batches", undefined],
    ["127.0.0.1", "one by one, where the kernel's calls are not to be had", async () => undefined],
    ["::1", "one by one, where the kernel's calls are not to be had", async () => undefined],
  ])("on %s, %s: each answer goes to the one who asked", async (address, _, load) => {
    const listener = new UdpListener(load);
    const port = 20_000 + (process.pid % 20_000);
    await listener.start({ listen: [{ address, port }], answer: echo, onSendFailure: () => undefined });
    try {
      const clients = Array.from({ length: 3 }, () => createSocket(address === "::1" ? "udp6" : "udp4"));
      const answers = clients.map(
        async (client, index) =>
          await new Promise<string[]>((resolve) => {
            const got: string[] = [];
            client.on("message", (message) => {
              got.push(message.toString("latin1"));
              if (got.length === 100) resolve(got);
            });
            client.bind(0, address, () => {
              for (let i = 0; i < 100; i++) client.send(`${index} ${i};`, port, address);
            });
          }),
      );
      const bytes = Buffer.from(Address.parse(address).bytes).toString("latin1");
      for (const [index, got] of (await Promise.all(answers)).entries())
        expect(new Set(got)).toEqual(new Set(Array.from({ length: 100 }, (_, i) => `${index} ${i};${bytes}`)));
      for (const client of clients) client.close();
    } finally {
      await listener.stop();
    }
  });

  test("several addresses get one port", async () => {
    const { port } = await serve(stored(), {
      listen: [
        { address: "127.0.0.1", port: 0 },
        { address: "::1", port: 0 },
      ],
    });
    for (const address of ["127.0.0.1", "::1"])
      for (const tcp of [false, true]) expect((await query(HOST, 1, { address, port, tcp })).answers).toHaveLength(1);
  });

  test("a query longer than a slot is ignored", async () => {
    const at = await serve(stored());
    const client = createSocket("udp4");
    const answer = once(client, "message");
    client.send(new Uint8Array(5000), at.port, at.address);
    client.send(framed(1).subarray(2), at.port, at.address);
    expect(((await answer) as [Buffer])[0].readUInt16BE(0)).toBe(1);
    client.close();
  });
});

describe("a server that cannot start", () => {
  test("says so: the port is taken", async () => {
    const { port } = await serve(stored());
    await expect(serve(stored(), { listen: [{ address: "127.0.0.1", port }] })).rejects.toThrow(/EADDRINUSE/);
  });

  test("leaves nothing open when only UDP's port is taken", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address();
    await expect(serve(stored(), { listen: [{ address: "127.0.0.1", port }] })).rejects.toThrow(
      "cannot listen on UDP port",
    );
    const free = connect(port, "127.0.0.1");
    await expect(once(free, "connect")).rejects.toThrow("ECONNREFUSED");
    taken.close();
  });

  test("says so also from its threads, and stops them", async () => {
    const { port } = await serve(stored());
    await expect(serve(stored(), { workers: 1, listen: [{ address: "127.0.0.1", port }] })).rejects.toThrow(
      ExchangeError,
    );
  });

  test.each([
    [{ keys: [{ name: "k.", algorithm: "md5", secret: "" }] }, "no TSIG algorithm"],
    [{ transfers: [{ key: "none." }] }, "the name of no TSIG key"],
    [{ maxUdpSize: 9000 }, "no UDP answer size"],
    [{ cookieSecrets: ["abc"] }, "32 hexadecimal digits"],
  ])("%j", async (options, problem) => {
    await expect(serve(stored(), options)).rejects.toThrow(RecordError);
    await expect(serve(stored(), options)).rejects.toThrow(problem);
  });
});

test("threads that die are replaced, with the zones as they are then", { timeout: 60_000 }, async () => {
  const store = stored();
  store.replace(zoneOf("crash.", "@ 60 IN SOA ns admin 1 2 3 4 5\n@ 60 NS ns\n"));
  const failures: string[] = [];
  const server = new DnsServer(
    store,
    { listen: [{ address: "127.0.0.1", port: 0 }], workers: 1 },
    { workerUrl: new URL("crashing-worker.ts", import.meta.url), onFailure: ({ message }) => failures.push(message) },
  );
  running.push(server);
  const [at = { address: "", port: 0 }] = await server.start();
  store.remove(Name.parse("crash."));
  while (failures.length < 2) await query(HOST, 1, { ...at, timeout: 100 }).catch(() => undefined);
  store.replace(version(2, "new 60 TXT x\n"));
  expect(failures).toEqual(["crashed", "crashed"]);
  for (const tcp of [false, true]) {
    let rcode: number | undefined;
    while (rcode !== 0)
      rcode = (await query(Name.parse("new.example."), 16, { ...at, tcp, timeout: 200 }).catch(() => undefined))?.rcode;
  }
});

describe("the client", () => {
  test("notifies, and says what the server thinks of it", async () => {
    const at = await serve(stored());
    await expect(notify(ORIGIN, at)).rejects.toThrow("answered NOTIMP");
  });

  test("gives up in time, and says who did not answer", async () => {
    const at = { address: "127.0.0.1", port: 9, timeout: 50 };
    await expect(query(HOST, 1, at)).rejects.toThrow(/^127.0.0.1 port 9: /);
    await expect(collect(axfr(ORIGIN, at))).rejects.toThrow(ExchangeError);
  });
});
