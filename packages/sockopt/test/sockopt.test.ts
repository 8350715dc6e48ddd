import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, type Server, Socket, createServer } from "node:net";
import { Address, Prefix } from "@trivet/ip";
import { dropped, eventually } from "@trivet/testing";
import { afterEach, describe, expect, test } from "vitest";
import { SocketError, bindUdp, listenTcp, setMd5Key, setReuse, tcpSocket, unavailableReason } from "../src/index.ts";

const here = (text: string) => ({ address: Address.parse(text), zone: undefined });
const open: (Socket | Server)[] = [];
const sockets: ReturnType<typeof createSocket>[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) {
    if (socket instanceof Socket) socket.destroy();
    else socket.close();
  }
  for (const socket of sockets.splice(0)) socket.close();
});

async function listen(
  address: string,
  options: Parameters<typeof listenTcp>[2],
): Promise<{ fd: number; port: number; server: Server }> {
  const fd = listenTcp(here(address), 0, options);
  const server = createServer((socket) => {
    open.push(socket);
    socket.on("error", () => undefined);
  });
  open.push(server);
  await once(server.listen({ fd }), "listening");
  return { fd, port: (server.address() as AddressInfo).port, server };
}

function connect(address: string, port: number, options: Parameters<typeof tcpSocket>[1]): Socket {
  const socket = new Socket({ fd: tcpSocket(Address.parse(address).family, options) });
  open.push(socket);
  socket.on("error", () => undefined);
  return socket.connect({ host: address, port });
}

test("koffi is usable here", () => {
  expect(unavailableReason()).toBeUndefined();
});

describe.each(["127.0.0.1", "::1"])("TCP on %s", (address) => {
  test("RFC 2385: the right key connects", async () => {
    const { port } = await listen(address, { md5: [{ peer: here(address), key: "tripod" }] });
    await once(connect(address, port, { md5: [{ peer: here(address), key: "tripod" }] }), "connect");
  });

  test("RFC 2385: a wrong key is dropped by the kernel, and a key changed live lets the peer in", async () => {
    const { fd, port } = await listen(address, { md5: [{ peer: here(address), key: "tripod" }] });
    const before = dropped("TCPMD5Failure");
    const socket = connect(address, port, { md5: [{ peer: here(address), key: "stool" }] });
    const connected = once(socket, "connect");
    await eventually("the kernel drops the segment", () => dropped("TCPMD5Failure") > before);
    expect(socket.connecting).toBe(true);
    setMd5Key(fd, { peer: here(address), key: "stool" });
    await connected; // the next retransmission of the SYN
  });

  test("RFC 2385: one key for a range of peers", async () => {
    const range = address === "::1" ? "::/64" : "127.0.0.0/8";
    const { port } = await listen(address, { md5: [{ peer: Prefix.parse(range), key: "tripod" }] });
    await once(connect(address, port, { md5: [{ peer: here(address), key: "tripod" }] }), "connect");
  });

  test("RFC 5082: segments that crossed a router are dropped", async () => {
    const { port } = await listen(address, { hopLimit: 255, minHopLimit: 255 });
    await once(connect(address, port, { hopLimit: 255, minHopLimit: 255 }), "connect");
    const before = dropped("TCPMinTTLDrop");
    const far = connect(address, port, { hopLimit: 254 });
    await eventually("the kernel drops the segment", () => dropped("TCPMinTTLDrop") > before);
    expect(far.connecting).toBe(true);
  });
});

describe.each(["127.0.0.1", "::1"])("UDP on %s", (address) => {
  test("RFC 5881 §5: only packets that crossed no router arrive", async () => {
    const type = address === "::1" ? "udp6" : "udp4";
    const make = async (options: Parameters<typeof bindUdp>[2]) => {
      const socket = createSocket(type);
      sockets.push(socket);
      socket.bind({ fd: bindUdp(here(address), 0, options) }); // listens at once
      return socket;
    };
    const receiver = await make({ hopLimit: 255, minHopLimit: 255 });
    const [far, near] = [await make({ hopLimit: 254 }), await make({ hopLimit: 255, trafficClass: 0xc0 })];
    const first = once(receiver, "message");
    await new Promise((sent) => far.send("far", receiver.address().port, address, sent));
    near.send("near", receiver.address().port, address);
    expect(String((await first)[0])).toBe("near");
  });
});

describe("UDP ports are a program's own", () => {
  const bind = (address: string, port: number, reuse = false): number => {
    const fd = bindUdp(here(address), port, { hopLimit: 64, reuse });
    const socket = createSocket("udp4");
    sockets.push(socket);
    socket.bind({ fd });
    setReuse(fd, reuse); // Node has set it
    return fd;
  };
  const free = (): number => {
    const fd = bindUdp(here("127.85.0.1"), 0, { hopLimit: 64 });
    const socket = createSocket("udp4").bind({ fd });
    const { port } = socket.address();
    socket.close();
    return port;
  };

  test.each([
    ["the same address", "127.85.0.1", "127.85.0.1"],
    ["all addresses after one", "127.85.0.1", "0.0.0.0"],
    ["one address after all", "0.0.0.0", "127.85.0.1"],
  ])("%s: refused, also when only one of the two would share", (_name, first, second) => {
    const port = free();
    const fd = bind(first, port);
    const inUse = `bind: EADDRINUSE: ${second} port ${port}`;
    expect(() => bind(second, port)).toThrow(inUse);
    expect(() => bind(second, port, true)).toThrow(inUse);
    setReuse(fd, true);
    expect(() => bind(second, port)).toThrow(inUse);
    bind(second, port, true);
  });
});

test("errors say which call, which address and which error", async () => {
  const { port } = await listen("127.0.0.1", {});
  expect(() => listenTcp(here("127.0.0.1"), port, {})).toThrow(SocketError);
  expect(() => listenTcp(here("127.0.0.1"), port, {})).toThrow(`bind: EADDRINUSE: 127.0.0.1 port ${port}`);
  expect(() => bindUdp({ address: Address.parse("fe80::1"), zone: "nosuch0" }, 0, { hopLimit: 255 })).toThrow(
    "there is no interface nosuch0",
  );
  expect(() => tcpSocket(4, { md5: [{ peer: here("127.0.0.1"), key: "x".repeat(81) }] })).toThrow(
    "at most 80 octets, this one 81",
  );
});
