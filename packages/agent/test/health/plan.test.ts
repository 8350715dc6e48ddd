import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { healthConfig } from "../../src/health/config.ts";
import { planChecks } from "../../src/health/plan.ts";
import { bridge, instance, ovn, snapshot } from "../announce/world.ts";

const MAC = "00:16:3e:00:00:01";
/** As OVN makes it of the MAC address. */
const SLAAC = "2001:db8:5:0:216:3eff:fe00:1";
const web = ovn("web", { "ipv4.address": "10.5.0.1/24", "ipv4.nat": "true", "ipv6.address": "2001:db8:5::1/64" });

function plan(check: Record<string, string>, { nic = {}, network = web, yaml = "" } = {}) {
  const config = healthConfig(
    parseConfig("agent.yaml", `asn: 65010\npeers: [{address: 192.0.2.1, asn: 65000}]\nallow: [192.0.2.0/24]\n${yaml}`),
  );
  const c1 = instance(
    "c1",
    { network: network.name, hwaddr: MAC, "ipv4.address": "10.5.0.9", ...nic },
    { config: check },
  );
  const { checks, problems } = planChecks(snapshot({ networks: [network] }), c1, config);
  return {
    problems: problems.map(({ key, why }) => `${key}: ${why}`),
    checks: checks.map(({ id, device, timers, address, witness, nowhere }) => ({
      id,
      ...(nowhere === undefined ? {} : { nowhere }),
      ...(device === undefined ? {} : { device }),
      timers,
      address: address?.toString(),
      witness: witness?.toString(),
    })),
  };
}

const DEFAULTS = { interval: 5_000, fast: 1_000, timeout: 2_000, rise: 2, fall: 3 };

describe("where a check goes", () => {
  test("on an OVN network, to an address that no NAT hides, with the network's router as witness", () => {
    expect(plan({ "user.trivet.check": "tcp://:80" }).checks).toEqual([
      { id: "default/c1 instance check", timers: DEFAULTS, address: SLAAC, witness: "2001:db8:5::1" },
    ]);
  });

  test("on a bridge, to any address; its router is this server itself", () => {
    const network = bridge("br0", { "ipv4.address": "10.5.0.1/24", "ipv4.nat": "true" });
    expect(plan({ "user.trivet.check": "tcp://:80" }, { network }).checks).toMatchObject([
      { address: "10.5.0.9", witness: undefined },
    ]);
  });

  test("to the address it names, if that is one of the instance's networks", () => {
    expect(plan({ "user.trivet.check": "tcp://10.5.0.77:80" }).checks).toMatchObject([
      { address: "10.5.0.77", witness: "10.5.0.1" },
    ]);
  });

  test.each(["tcp://192.0.2.7:80", "http://[::1]:8444/", "tcp://203.0.113.5:80"])(
    "never to another that the instance's own keys name: %s",
    (text) => {
      const { checks, problems } = plan(
        { "user.trivet.check": text },
        { nic: { "ipv4.routes.external": "203.0.113.5/32" } },
      );
      expect(checks).toEqual([]);
      expect(problems).toEqual([expect.stringContaining("user.trivet.check: goes to an address outside the subnets")]);
    },
  );

  test.each([
    ["ovn", ovn("web", { "ipv4.address": "10.5.0.1/24" })],
    ["bridge", bridge("br0", { "ipv4.address": "10.5.0.1/24" })],
  ])("on a network of type %s, nowhere outside its subnets, wherever the instance's keys say it is", (_, network) => {
    const config = { "user.trivet.check": "http://:8500/", "volatile.eth0.last_state.ip_addresses": "127.0.0.1" };
    const { checks } = plan(config, { network, nic: { "ipv4.address": "", hwaddr: "none" } });
    expect(checks).toMatchObject([
      { address: undefined, nowhere: `its address 127.0.0.1 is outside the subnets of its network ${network.name}` },
    ]);
  });

  test("nowhere, where no address is known", () => {
    const network = ovn("dark", { "ipv4.address": "10.5.0.1/24", "ipv4.nat": "true" });
    expect(plan({ "user.trivet.check": "tcp://:80" }, { network }).checks).toMatchObject([{ address: undefined }]);
  });
});

describe("what is checked", () => {
  test("a NIC's keys are about that NIC alone", () => {
    const { checks } = plan({}, { nic: { "user.trivet.check": "tcp://:80", "user.trivet.check.rise": "1" } });
    expect(checks).toMatchObject([
      { id: "default/c1 nic eth0 check", device: "eth0", address: SLAAC, timers: { rise: 1 } },
    ]);
  });

  test("agent.yaml checks instances by pattern, wherever it says, beside their own checks", () => {
    const yaml = `health:
  interval: 2
  checks:
    - {name: smtp, instances: ["mail/*", "default/c*"], check: "tcp://192.0.2.7:25", fall: 1}
    - {name: other, instances: ["default/d*"], check: "tcp://:25"}`;
    const { checks } = plan({ "user.trivet.check": "tcp://:80", "user.trivet.check.interval": "9" }, { yaml });
    expect(checks).toMatchObject([
      { id: "default/c1 agent.yaml smtp", address: "192.0.2.7", timers: { ...DEFAULTS, interval: 2_000, fall: 1 } },
      { id: "default/c1 instance check", timers: { ...DEFAULTS, interval: 9_000 } },
    ]);
  });

  test("two of one name are two checks", () => {
    const yaml = `health:
  checks:
    - {name: smtp, instances: ["*/*"], check: "tcp://:25"}
    - {name: smtp, instances: ["*/c1"], check: "tcp://:26"}`;
    const { checks, problems } = plan(
      { "user.trivet.check": "exec:a", "user.trivet.check.check": "exec:b", "user.trivet.check.web": "exec:c" },
      { yaml },
    );
    expect(checks.map(({ id }) => id)).toEqual([
      "default/c1 agent.yaml smtp",
      "default/c1 agent.yaml smtp-2",
      "default/c1 instance check",
      "default/c1 instance check-2",
      "default/c1 instance web",
    ]);
    expect(problems).toEqual([]);
  });

  test("of one's own, no more than 16, those of the NICs among them; the others are problems", () => {
    const many = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`user.trivet.check.n${from + i}`, "exec:true"]));
    const yaml = 'health:\n  checks:\n    - {name: smtp, instances: ["*/*"], check: "tcp://:25"}';
    const { checks, problems } = plan(many(0, 10), { nic: many(10, 8), yaml });
    expect(checks).toHaveLength(1 + 16);
    expect(problems).toEqual(
      [16, 17].map((n) => `user.trivet.check.n${n}: is one too many: an instance has at most 16 checks of its own`),
    );
  });

  test("a wrong check in agent.yaml is a diagnostic with its line", () => {
    const yaml = 'health:\n  checks:\n    - {name: x, instances: ["a/*"], check: "tcp:25"}';
    expect(() => plan({}, { yaml })).toThrow(/agent\.yaml:6:.*"tcp:25" is no check/);
  });
});
