import { createServer, connect as dial } from "node:net";
import { once } from "node:events";
import { Address, Prefix } from "@trivet/ip";
import { afterEach, describe, expect, test } from "vitest";
import { NetworkError, OptionsError, type PeerOptions, type Route, Speaker, type SpeakerOptions } from "@trivet/bgp";

const running: Speaker[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (speaker) => speaker.stop()));
});

async function start(options: Partial<SpeakerOptions>): Promise<Speaker> {
  const speaker = new Speaker({ asn: 65000, routerId: "192.0.2.254", ...options });
  running.push(speaker);
  await speaker.start();
  return speaker;
}

/** A speaker that accepts from loopback, and one that connects to it. */
async function pair(host: string, peer: Partial<PeerOptions> = {}): Promise<{ collector: Speaker; speaker: Speaker }> {
  const collector = await start({
    listen: [{ address: host, port: 0 }],
    ranges: [
      { prefix: "127.0.0.0/8", asn: 65001 },
      { prefix: "::1/128", asn: 65001 },
    ],
  });
  const [at] = collector.listening();
  const speaker = await start({
    asn: 65001,
    routerId: "192.0.2.1",
    peers: [{ address: host, port: at?.port ?? 0, asn: 65000, connectRetry: 1, ...peer }],
  });
  return { collector, speaker };
}

async function until(speaker: Speaker, event: "update" | "session", holds: () => boolean): Promise<void> {
  while (!holds()) await once(speaker, event);
}

function received(speaker: Speaker, family: 4 | 6): number {
  return speaker.sessions()[0]?.prefixesReceived[family] ?? 0;
}

function* hosts(count: number): Generator<Route> {
  const nextHop = Address.parse("192.0.2.7");
  for (let i = 0; i < count; i++)
    yield { prefix: Prefix.host(Address.fromBigInt(4, 0x0a000000n + BigInt(i))), nextHop };
}

describe.each(["127.0.0.1", "::1"])("over %s", (host) => {
  test("routes of both families arrive, change and go", async () => {
    const { collector, speaker } = await pair(host);
    speaker.announce([...hosts(3), { prefix: Prefix.parse("2001:db8::/32"), nextHop: Address.parse("2001:db8::1") }]);
    await until(collector, "update", () => received(collector, 4) === 3 && received(collector, 6) === 1);
    speaker.announce([...hosts(1)]);
    await until(collector, "update", () => received(collector, 4) === 1 && received(collector, 6) === 0);
    const peer = collector.sessions()[0]?.peer ?? "";
    expect(
      [...collector.adjRibIn(peer)].map(({ prefix, nextHop }) => `${prefix.toString()} ${nextHop.toString()}`),
    ).toEqual(["10.0.0.0/32 192.0.2.7"]);
  });

  test("100,000 routes arrive, more than sockets buffer", async () => {
    const { collector, speaker } = await pair(host);
    speaker.announce(hosts(100_000));
    await until(collector, "update", () => received(collector, 4) === 100_000);
    expect(speaker.sessions()[0]).toMatchObject({ prefixesSent: { 4: 100_000 }, state: "established" });
  });

  test("stop is heard, with its reason", async () => {
    const { collector, speaker } = await pair(host);
    await until(speaker, "session", () => speaker.sessions()[0]?.state === "established");
    const heard = once(collector, "notification");
    await speaker.stop("maintenance");
    expect(await heard).toMatchObject([
      { direction: "received", text: 'Cease/Administrative Shutdown: "maintenance"' },
    ]);
  });
});

describe("a peer that sends garbage", () => {
  test("is told so and closed; the speaker goes on", async () => {
    const { collector, speaker } = await pair("127.0.0.1");
    await until(speaker, "session", () => speaker.sessions()[0]?.state === "established");
    const socket = dial({ host: "127.0.0.1", port: collector.listening()[0]?.port ?? 0, localAddress: "127.0.0.9" });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(socket, "connect");
    socket.write("GET / HTTP/1.0\r\n\r\n ".repeat(10));
    await once(socket, "close");
    // The speaker's OPEN, then NOTIFICATION 1/1: Connection Not Synchronized.
    expect(Buffer.concat(chunks).toString("hex")).toMatch(/f{32}0015030101$/);
    expect(speaker.sessions()[0]).toMatchObject({ state: "established", established: 1 });
  });
});

describe("bad input", () => {
  const BASE: SpeakerOptions = { asn: 65001, routerId: "192.0.2.1" };

  test.each<[string, Partial<SpeakerOptions>, string]>([
    ["AS 0", { asn: 0 }, "asn is 0; it must be a whole number from 1 to 4294967295"],
    [
      "an IPv6 router id",
      { routerId: "2001:db8::1" },
      "routerId is 2001:db8::1; write it as an IPv4 address other than 0.0.0.0",
    ],
    [
      "an address with a typo",
      { peers: [{ address: "192.0.2.300", asn: 1 }] },
      'peers[0].address is wrong: "192.0.2.300" has an octet over 255',
    ],
    [
      "a hold time of 2",
      { peers: [{ address: "192.0.2.9", asn: 1, holdTime: 2 }] },
      "peers[0].holdTime is 2; it must be 0 (never) or at least 3 seconds",
    ],
    [
      "the same peer twice",
      {
        peers: [
          { address: "192.0.2.9", asn: 1 },
          { name: "b", address: "192.0.2.9", asn: 2 },
        ],
      },
      "peers[1].address is 192.0.2.9, as that of peers[0]; it must be unique",
    ],
    [
      "one link-local address on two interfaces, with two passwords",
      {
        peers: [
          { address: "fe80::1%eth0", asn: 1, password: "tripod" },
          { address: "fe80::1%eth1", asn: 1 },
        ],
      },
      "peers[1].password must be that of peers[0], or both must have none: both are fe80::1, on different interfaces",
    ],
    [
      "no family",
      { peers: [{ address: "192.0.2.9", asn: 1, families: [] }] },
      "peers[0].families must name 4, 6 or both",
    ],
    [
      "a range with host bits",
      { ranges: [{ prefix: "192.0.2.1/24", asn: 1 }] },
      'ranges[0].prefix is wrong: "192.0.2.1/24" has host bits set; the network is 192.0.2.0/24',
    ],
  ])("%s is refused in one line", (_, options, message) => {
    expect(() => new Speaker({ ...BASE, ...options })).toThrow(expect.objectContaining({ message, fault: "input" }));
    expect(() => new Speaker({ ...BASE, ...options })).toThrow(OptionsError);
  });

  test("an address in use is an error of the world, with a remedy", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const speaker = new Speaker({ ...BASE, listen: [{ address: "127.0.0.1", port }] });
    await expect(speaker.start()).rejects.toThrow(NetworkError);
    await expect(speaker.start()).rejects.toThrow(/another program listens there; stop it or choose another port$/);
    server.close();
  });
});
