import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Prefix } from "@trivet/ip";
import { Announcer, type Announcement } from "../../src/announce/announce.ts";
import type { AnnounceConfig } from "../../src/announce/config.ts";
import { type Snapshot, keyOf } from "../../src/inventory/snapshot.ts";
import { bridge, instance, ovn, snapshot } from "./world.ts";

const prefix = fc.oneof(
  fc
    .tuple(fc.nat(3), fc.nat(255), fc.integer({ min: 22, max: 32 }))
    .map(([c, d, length]) => mask(`203.0.${c}.${d}`, length)),
  fc
    .tuple(fc.nat(3), fc.nat(255), fc.constantFrom(48, 64, 128))
    .map(([c, d, length]) => mask(`2001:db8:${c}::${d}`, length)),
);
const routes = fc
  .array(prefix, { maxLength: 3 })
  .map((all) => ({ "ipv4.routes.external": join(all, 4), "ipv6.routes.external": join(all, 6) }));
const network = fc
  .record({
    id: fc.nat(4),
    make: fc.constantFrom(ovn, bridge),
    v6: fc.nat(9),
    nat: fc.constantFrom("true", "false"),
    project: fc.constantFrom("default", "web"),
  })
  .map(({ id, make, v6, nat, project }) =>
    make(
      `net${id}`,
      {
        network: "INFRA-UPLINK",
        "ipv4.address": `203.0.${id}.1/24`,
        "ipv6.address": `2001:db8:${v6}::1/64`,
        "ipv4.nat": nat,
      },
      { project },
    ),
  );
const guest = fc
  .record({
    id: fc.nat(9),
    nic: routes,
    net: fc.nat(4),
    status: fc.constantFrom("Running", "Stopped", "Frozen", "Ready"),
    location: fc.constantFrom("server-1", "server-2"),
    project: fc.constantFrom("default", "web", "mail"),
  })
  .map(({ id, nic, net, ...more }) => instance(`c${id}`, { network: `net${net}`, ...nic }, more));
const world = fc
  .record({ networks: fc.array(network, { maxLength: 5 }), instances: fc.array(guest, { maxLength: 12 }) })
  .map((parts) => snapshot(parts));
const config: fc.Arbitrary<AnnounceConfig> = fc.record(
  {
    allow: fc.array(prefix, { maxLength: 4 }).map((some) => some.concat(Prefix.parse("203.0.0.0/23"))),
    addresses: fc.boolean(),
    attributes: fc.constant([]),
    projects: fc.subarray(["default", "web", "mail"]),
    uplinks: fc.subarray(["INFRA-UPLINK", "net1"]),
  },
  { requiredKeys: ["allow", "addresses", "attributes"] },
);

describe("whatever LXD says and the configuration wants", () => {
  test("nothing outside `allow` is announced", () => {
    fc.assert(
      fc.property(world, config, (snapshot, config) => {
        for (const { prefix } of new Announcer(config).announce(snapshot).routes.values())
          expect(config.allow.some((allowed) => allowed.contains(prefix))).toBe(true);
      }),
    );
  });

  test("every external route is announced or refused with a reason, and only of instances running here announced", () => {
    fc.assert(
      fc.property(world, config, (snapshot, config) => {
        const { routes, refused } = new Announcer(config).announce(snapshot);
        for (const { reasons } of routes.values())
          for (const { source } of reasons) {
            if (source.instance === undefined) continue;
            const found = snapshot.instances.get(keyOf({ project: source.project, name: source.instance }));
            expect(found).toMatchObject({ location: "server-1", status: expect.stringMatching(/Running|Ready/) });
          }
        const seen = [...routes.values()].flatMap(({ reasons }) => reasons).concat(refused);
        for (const { name, project, expanded_devices } of snapshot.instances.values()) {
          const nic = expanded_devices["eth0"] ?? {};
          const known = snapshot.networks.has(`${project === "mail" ? "default" : project}/${nic["network"]}`);
          const wanted = [nic["ipv4.routes.external"], nic["ipv6.routes.external"]]
            .flatMap((list) => list?.split(",") ?? [])
            .filter((text) => text !== "");
          for (const text of known ? wanted : [])
            expect(
              seen.some(
                ({ prefix, source }) =>
                  prefix.toString() === text && source.instance === name && source.project === project,
              ),
            ).toBe(true);
        }
      }),
    );
  });

  test("the order in which LXD lists things changes nothing", () => {
    fc.assert(
      fc.property(world, config, (snapshot, config) => {
        const reversed: Snapshot = {
          ...snapshot,
          networks: new Map([...snapshot.networks].reverse()),
          instances: new Map([...snapshot.instances].reverse()),
        };
        expect(summary(new Announcer(config).announce(reversed))).toEqual(
          summary(new Announcer(config).announce(snapshot)),
        );
      }),
    );
  });

  test("what is remembered from earlier snapshots never shows: each step gives what a fresh start would", () => {
    fc.assert(
      fc.property(
        fc.array(world, { minLength: 2, maxLength: 4 }),
        config,
        fc.infiniteStream(fc.boolean()),
        (worlds, config, keep) => {
          const old = new Announcer(config);
          let networks = worlds[0]?.networks;
          for (const world of worlds) {
            // Half of the steps change instances only, as most events do.
            const next = keep.next().value === true ? { ...world, networks: networks ?? world.networks } : world;
            networks = next.networks;
            expect(summary(old.announce(next))).toEqual(summary(new Announcer(config).announce(next)));
          }
        },
      ),
    );
  });
});

function summary({ routes, refused }: Announcement) {
  return {
    routes: [...routes]
      .map(([key, { nextHop, reasons }]) => `${key} ${nextHop?.toString() ?? "self"} ${reasons.length}`)
      .sort(),
    refused: refused
      .map(({ prefix, source, refusal }) => `${prefix.toString()} ${JSON.stringify(source)} ${refusal.why}`)
      .sort(),
  };
}

function mask(address: string, length: number): Prefix {
  const [host] = [Prefix.parse(`${address}/${address.includes(":") ? 128 : 32}`)];
  return Prefix.of(host.address, length);
}

function join(prefixes: readonly Prefix[], family: 4 | 6): string {
  return prefixes.filter((prefix) => prefix.family === family).join(",");
}
