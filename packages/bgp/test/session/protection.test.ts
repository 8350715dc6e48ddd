import { once } from "node:events";
import { Socket } from "node:net";
import { parseScoped } from "@trivet/ip";
import { tcpSocket } from "@trivet/sockopt";
import { dropped, eventually } from "@trivet/testing";
import { afterEach, describe, expect, test } from "vitest";
import { type Network, NetworkError, OptionsError, type PeerOptions, type RangeOptions, Speaker } from "@trivet/bgp";
import { SimClock, SimNetwork } from "../support/sim.ts";

const OURS = "127.83.0.1";
const ROUTER = "127.83.0.2";

const sockets: Socket[] = [];
let speaker: Speaker;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await speaker.stop();
});

async function listen(peers: readonly PeerOptions[], ranges: readonly RangeOptions[] = []): Promise<void> {
  speaker = new Speaker({
    asn: 65001,
    routerId: "192.0.2.1",
    listen: [{ address: OURS, port: 0 }],
    peers,
    ranges,
  });
  await speaker.start();
}

const router = (changes: Partial<PeerOptions> = {}): PeerOptions => ({
  address: ROUTER,
  asn: 65000,
  passive: true,
  ...changes,
});

/** A router's connection, signed with this key if any. */
function dial(key?: string, options: { hopLimit?: number; from?: string } = {}): Socket {
  const { hopLimit, from = ROUTER } = options;
  const md5 = key === undefined ? [] : [{ peer: parseScoped(OURS), key }];
  const fd = tcpSocket(4, { md5, ...(hopLimit === undefined ? {} : { hopLimit }) }, parseScoped(from));
  const socket = new Socket({ fd, readable: true, writable: true });
  sockets.push(socket);
  socket.on("error", () => undefined);
  return socket.connect({ host: OURS, port: speaker.listening()[0]?.port ?? 0 });
}

async function isHeard(socket: Socket): Promise<void> {
  const [octets] = (await once(socket, "data")) as [Buffer];
  expect(octets[18]).toBe(1); // the speaker's OPEN
  socket.destroy();
}

/** Its SYN does not get past the kernel. */
async function isDropped(
  counter: "TCPMD5NotFound" | "TCPMD5Unexpected" | "TCPMD5Failure",
  key?: string,
): Promise<void> {
  const before = dropped(counter);
  const socket = dial(key);
  await eventually(`the kernel drops a segment: ${counter}`, () => dropped(counter) > before);
  expect(socket.connecting).toBe(true);
  socket.destroy();
}

describe("RFC 2385: a reload", () => {
  test("of a peer with a password, in whatever else, leaves it protected", async () => {
    await listen([router({ password: "tripod" })]);
    await isHeard(dial("tripod"));
    speaker.setPeers([router({ password: "tripod", holdTime: 30 })]);
    await isDropped("TCPMD5NotFound");
    await isHeard(dial("tripod"));
  });

  test("with another password knows the new one from then on, and the old one no more", async () => {
    await listen([router({ password: "tripod" })]);
    speaker.setPeers([router({ password: "stool" })]);
    await isDropped("TCPMD5Failure", "tripod");
    await isHeard(dial("stool"));
    speaker.setPeers([router()]);
    await isDropped("TCPMD5Unexpected", "stool");
    await isHeard(dial());
  });

  test("with a peer that was none before protects it from the start", async () => {
    await listen([]);
    speaker.setPeers([router({ password: "tripod" })]);
    await isDropped("TCPMD5NotFound");
    await isHeard(dial("tripod"));
  });
});

describe("a reload that is refused changes nothing", () => {
  const other = { address: "127.83.0.3", asn: 65000, passive: true };

  test("a password of more than 80 octets is refused by name, before the system is asked", async () => {
    await listen([router({ password: "tripod" })]);
    const reload = (): void => speaker.setPeers([{ ...other, password: "€".repeat(27) }, router({ holdTime: 30 })]);
    expect(reload).toThrow(OptionsError);
    expect(reload).toThrow("peers[0].password has 81 octets in UTF-8; it may have at most 80");
    expect(speaker.sessions().map(({ peer }) => peer)).toEqual([ROUTER]);
    await isHeard(dial("tripod"));
  });

  test("more passwords than the system has room for: every peer stays as it was, with its password", async () => {
    await listen([router({ password: "tripod" })]);
    // net.core.optmem_max bounds the keys of one socket.
    const many = Array.from({ length: 5_000 }, (_, i) => ({
      address: `127.84.${i >> 8}.${i & 255}`,
      asn: 65000,
      passive: true,
      password: "x",
    }));
    const reload = (): void => speaker.setPeers([router({ password: "stool" }), ...many]);
    expect(reload).toThrow(NetworkError);
    expect(reload).toThrow("ENOMEM");
    expect(speaker.sessions().map(({ peer }) => peer)).toEqual([ROUTER]);
    await isDropped("TCPMD5Failure", "stool");
    await isHeard(dial("tripod"));
    // What was tried left nothing behind.
    speaker.setPeers([router({ password: "tripod" }), ...many.slice(0, 50)]);
    expect(speaker.sessions()).toHaveLength(51);
  });
});

describe("RFC 5082: the protection of an address", () => {
  const far = { hopLimit: 64 };

  test("is that of the smallest network that it is in", async () => {
    await listen(
      [],
      [
        { prefix: "127.83.0.0/16", asn: 65000, ttlSecurity: 1 },
        { prefix: "127.83.0.0/24", asn: 65000, ttlSecurity: 200 },
      ],
    );
    await isHeard(dial(undefined, far));
    const before = dropped("TCPMinTTLDrop");
    const socket = dial(undefined, { ...far, from: "127.83.1.1" });
    await eventually("the kernel drops a segment", () => dropped("TCPMinTTLDrop") > before);
    socket.destroy();
  });

  test("is its own, also where that is none", async () => {
    await listen([router()], [{ prefix: "127.83.0.0/16", asn: 65000, ttlSecurity: 1 }]);
    await isHeard(dial(undefined, far));
  });
});

test("RFC 2385: a listener has its keys before it listens", async () => {
  let known: unknown;
  const at = new SimNetwork(new SimClock()).at(OURS);
  const network: Network = {
    ...at,
    listen: async (where, accept, protections) => {
      known = [...protections].map(([address, { password }]) => [address, password]);
      return await at.listen(where, accept, protections);
    },
  };
  const range = { prefix: "127.83.1.0/24", asn: 65000, password: "stool" };
  const options = { asn: 65001, routerId: "192.0.2.1", listen: [{ address: OURS }] };
  speaker = new Speaker({ ...options, peers: [router({ password: "tripod" })], ranges: [range] }, { network });
  await speaker.start();
  expect(known).toEqual([
    [ROUTER, "tripod"],
    ["127.83.1.0/24", "stool"],
  ]);
});

test("a protected listener's errors name the address and a remedy, too", async () => {
  await listen([router({ password: "tripod" })]);
  const [at] = speaker.listening();
  const second = new Speaker({
    asn: 65001,
    routerId: "192.0.2.1",
    listen: [{ address: OURS, port: at?.port ?? 0 }],
    peers: [router({ password: "tripod" })],
  });
  await expect(second.start()).rejects.toThrow(
    `cannot listen on ${OURS} port ${at?.port}: another program listens there; stop it or choose another port`,
  );
});
