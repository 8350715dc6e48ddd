import type { Config, Instance, NetworkLease } from "@trivet/lxd";
import { UnreachableError } from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addressesOf, reportedAddresses } from "../../src/inventory/addresses.ts";
import { Learner } from "../../src/inventory/learn.ts";
import { parseLearnt, writeLearnt } from "../../src/inventory/saved.ts";
import type { KnownInstance, Learnt } from "../../src/inventory/snapshot.ts";
import { bridge, instance, ovn, snapshot } from "../announce/world.ts";

const MAC = "00:16:3e:66:9b:96";
const web = ovn("web", { "ipv4.address": "10.0.0.1/24", "ipv6.address": "2001:db8:1::1/64" });

function guest(nic: Config, more: Partial<Instance> = {}): Instance {
  return instance("c1", nic, { config: { "volatile.eth0.hwaddr": MAC, "volatile.eth0.host_name": "veth1" }, ...more });
}
const lease = (address: string, type = "dynamic"): NetworkLease => ({
  hostname: "c1",
  hwaddr: MAC.toUpperCase(),
  address,
  type,
  location: "server-1",
});

/** LXD's answers, and what it was asked. */
class Lxd {
  leases: NetworkLease[] | Error = [];
  interfaces: Record<string, string[]> | Error = {};
  readonly asked: string[] = [];

  readonly readLeases = async (network: { name: string }, project: string): Promise<NetworkLease[]> => {
    this.asked.push(`leases of ${network.name} in ${project}`);
    if (this.leases instanceof Error) throw this.leases;
    return await Promise.resolve(this.leases);
  };
  readInterfaces = async (project: string, name: string) => {
    this.asked.push(`guest ${project}/${name}`);
    if (this.interfaces instanceof Error) throw this.interfaces;
    const [addresses = []] = Object.values(this.interfaces);
    const own = addresses.map((address) => ({
      address,
      family: address.includes(":") ? "inet6" : "inet",
      netmask: "64",
      scope: address.startsWith("fe80") ? "link" : "global",
    }));
    const counters = {} as never;
    const eth0 = {
      addresses: own,
      counters,
      hwaddr: MAC,
      host_name: "veth1",
      mtu: 1500,
      state: "up",
      type: "broadcast",
    };
    return await Promise.resolve({ eth0 });
  };
}

let lxd: Lxd;
let learner: Learner;
let changes: number;

beforeEach(() => {
  vi.useFakeTimers();
  lxd = new Lxd();
  changes = 0;
  learner = make();
});
afterEach(() => {
  learner.stop();
  vi.useRealTimers();
});

function make(saved: ReadonlyMap<string, Learnt> = new Map(), guests = true): Learner {
  return new Learner(saved, {
    guests,
    leases: lxd.readLeases,
    interfaces: async (project, name) => await lxd.readInterfaces(project, name),
    onLearnt: () => changes++,
    onRead: () => undefined,
  });
}
async function look(...instances: Instance[]): Promise<void> {
  learner.look(snapshot({ networks: [web, bridge("lan", {})], instances }));
  await vi.advanceTimersByTimeAsync(0);
}
const learnt = (): Learnt | undefined => learner.learnt.get("default/c1");

describe("an address that OVN's DHCP gave", () => {
  test("is learnt from the network's leases, at once, with one read for all its instances", async () => {
    lxd.leases = [lease("10.0.0.7"), lease("10.0.0.1", "gateway")];
    await look(guest({ network: "web" }), instance("c2", { network: "web", "ipv4.address": "10.0.0.9" }));
    expect(lxd.asked).toEqual(["leases of web in default"]);
    expect(learnt()).toEqual({ leased: { eth0: ["10.0.0.7"] } });
    expect([learner.learning, changes]).toEqual([false, 1]);
  });

  test("a NIC with static addresses is not asked for", async () => {
    await look(guest({ network: "web", "ipv4.address": "10.0.0.9" }));
    expect(lxd.asked).toEqual([]);
    expect(learner.learning).toBe(false);
  });

  test("not there yet: asked for again soon, then less often", async () => {
    await look(guest({ network: "web" }));
    lxd.asked.length = 0;
    await vi.advanceTimersByTimeAsync(300);
    expect(lxd.asked).toContain("leases of web in default");
    lxd.leases = [lease("10.0.0.7")];
    await vi.advanceTimersByTimeAsync(600);
    expect(learnt()?.leased).toEqual({ eth0: ["10.0.0.7"] });
    lxd.asked.length = 0;
    await vi.advanceTimersByTimeAsync(40_000);
    expect(lxd.asked.filter((what) => what.startsWith("leases"))).toEqual([]);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(lxd.asked.filter((what) => what.startsWith("leases"))).toHaveLength(1);
  });

  test("stays while reads fail or tell nothing, and goes when the instance stops", async () => {
    lxd.leases = [lease("10.0.0.7")];
    await look(guest({ network: "web" }));
    lxd.leases = new UnreachableError({ server: "lxd", call: "GET leases" }, "timeout");
    await vi.advanceTimersByTimeAsync(120_000);
    lxd.leases = [];
    await vi.advanceTimersByTimeAsync(120_000);
    expect(learnt()?.leased).toEqual({ eth0: ["10.0.0.7"] });
    await look(guest({ network: "web" }, { status: "Error" }));
    expect(learnt()?.leased).toEqual({ eth0: ["10.0.0.7"] });
    await look(guest({ network: "web" }, { status: "Stopped" }));
    expect(learnt()).toBeUndefined();
  });

  test("of an instance that started again is read again at once", async () => {
    lxd.leases = [lease("10.0.0.7")];
    await look(guest({ network: "web" }));
    lxd.leases = [lease("10.0.0.8")];
    const config = { "volatile.eth0.hwaddr": MAC, "volatile.eth0.host_name": "veth2" };
    await look(guest({ network: "web" }, { config }));
    expect(learnt()?.leased).toEqual({ eth0: ["10.0.0.8"] });
  });
});

describe("an address that only the guest knows", () => {
  test("is asked of the guest, where the NIC is on no managed network", async () => {
    lxd.interfaces = { eth0: ["192.0.2.11", "fe80::1"] };
    await look(guest({ nictype: "bridged", parent: "br0" }));
    expect(lxd.asked).toEqual(["guest default/c1"]);
    expect(learnt()).toEqual({ reported: { eth0: ["192.0.2.11"] } });
  });

  test("or where the leases do not tell", async () => {
    lxd.interfaces = { eth0: ["10.0.0.77"] };
    await look(guest({ network: "web" }));
    expect(lxd.asked).toEqual(["leases of web in default", "guest default/c1"]);
    expect(learnt()).toEqual({ reported: { eth0: ["10.0.0.77"] } });
  });

  test.each([
    ["null for its addresses", { eth0: { hwaddr: MAC, addresses: null } }],
    ["no addresses", { eth0: { hwaddr: MAC } }],
    ["no MAC addresses", { eth0: { addresses: [] }, eth1: null, eth2: { hwaddr: 7 } }],
    ["no more than junk", { eth0: { hwaddr: MAC, addresses: [null, {}, { scope: "global", address: "\u001b[2J" }] } }],
  ])("is nothing where a guest tells %s, and others are asked on", async (_, told) => {
    lxd.readInterfaces = (async () => await Promise.resolve(told)) as never;
    await look(guest({ nictype: "bridged", parent: "br0" }));
    expect(learnt()).toBeUndefined();
    expect(learner.learning).toBe(false);
  });

  test("is asked for again when reading it fails by a bug of ours, which is told", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockReturnValue();
    const read = lxd.readInterfaces;
    lxd.readInterfaces = () => {
      throw new TypeError("no such function");
    };
    learner.stop();
    learner = make();
    await look(guest({ nictype: "bridged", parent: "br0" }));
    expect(warning).toHaveBeenCalledWith(
      "addresses cannot be learnt: a bug of ours",
      expect.objectContaining({ detail: expect.stringContaining("no such function") }),
    );
    warning.mockRestore();
    lxd.readInterfaces = read;
    lxd.interfaces = { eth0: ["192.0.2.11"] };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(learnt()).toEqual({ reported: { eth0: ["192.0.2.11"] } });
  });

  test("no more of them than a few are kept", async () => {
    lxd.interfaces = { eth0: Array.from({ length: 5_000 }, (_, i) => `2001:db8::${i.toString(16)}`) };
    await look(guest({ nictype: "bridged", parent: "br0" }));
    expect(learnt()?.reported?.["eth0"]).toHaveLength(64);
  });

  test("and only where guests may be asked", async () => {
    learner.stop();
    learner = make(new Map(), false);
    await look(guest({ nictype: "bridged", parent: "br0" }));
    expect(lxd.asked).toEqual([]);
  });
});

test("what was learnt outlives the agent; what is no such text is nothing", async () => {
  const saved: ReadonlyMap<string, Learnt> = new Map([
    ["default/c1", { leased: { eth0: ["10.0.0.7"] }, reported: { eth1: ["192.0.2.1"] } }],
    ["default/gone", { leased: { eth0: ["10.0.0.8"] } }],
  ]);
  learner.stop();
  learner = make(parseLearnt(Buffer.from(writeLearnt(saved))));
  lxd.leases = new UnreachableError({ server: "lxd", call: "GET leases" }, "timeout");
  await look(guest({ network: "web" }));
  expect(learnt()?.leased).toEqual({ eth0: ["10.0.0.7"] });
  expect(learner.learnt.has("default/gone")).toBe(false);
  for (const text of ["{", "[]", '{"a": {"leased": 1}}']) expect(parseLearnt(Buffer.from(text)).size).toBe(0);
});

describe("which source counts", () => {
  const known = (nic: Config, found: Learnt): KnownInstance => ({ ...guest(nic), learnt: found });
  const own = "2001:db8:1:0:216:3eff:fe66:9b96";
  const addresses = (nic: Config, found: Learnt): string[] => {
    const one = known(nic, found);
    const device = { type: "nic", ...nic };
    return [...addressesOf(one, "eth0", device, web), ...reportedAddresses(one, "eth0", device, web)].map(String);
  };

  test("static and noted ones, the NIC's own IPv6 address, then leases, then what the guest reports; by family", () => {
    const all: Learnt = { leased: { eth0: ["10.0.0.7", own] }, reported: { eth0: ["10.0.0.77", "2001:db8:1::77"] } };
    expect(addresses({ network: "web" }, {})).toEqual([own]);
    expect(addresses({ network: "web" }, all)).toEqual([own, "10.0.0.7"]);
    expect(addresses({ network: "web", "ipv4.address": "10.0.0.9" }, all)).toEqual(["10.0.0.9", own]);
    expect(addresses({ network: "web" }, { reported: all.reported ?? {} })).toEqual([own, "10.0.0.77"]);
  });

  test("a guest on a network of LXD's may report addresses of that network only", () => {
    expect(addresses({ network: "web" }, { reported: { eth0: ["203.0.113.10", "10.0.0.77"] } })).toEqual([
      own,
      "10.0.0.77",
    ]);
  });
});
