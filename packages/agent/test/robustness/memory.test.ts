import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Speaker } from "@trivet/bgp";
import type { Instance } from "@trivet/lxd";
import { expect, test } from "vitest";
import { type AnnouncedRoute, Announcer } from "../../src/announce/announce.ts";
import { diffRoutes } from "../../src/announce/diff.ts";
import { OPEN, instance, ovn, snapshot } from "../announce/world.ts";

const ROUTES = 10_000;
const PER_INSTANCE = 100;
const CHANGES = 1_000_000;
const ROUNDS = CHANGES / ROUTES;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Megabytes in use. */
function heap(): number {
  collect();
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return (heapUsed + arrayBuffers + external) / 1e6;
}

test(
  "a million changed routes, decided and told to a router, leave the memory as it was",
  { timeout: 120_000 },
  async () => {
    const router = new Speaker({
      asn: 65000,
      routerId: "192.0.2.254",
      listen: [{ address: "127.0.0.1", port: 0 }],
      ranges: [{ prefix: "127.0.0.0/8", asn: 65010, maxPrefix: 20_000 }],
    });
    await router.start();
    const speaker = new Speaker({
      asn: 65010,
      routerId: "192.0.2.1",
      peers: [{ address: "127.0.0.1", port: router.listening()[0]?.port ?? 0, asn: 65000, localAddress: "127.98.3.1" }],
    });
    const before = heap();
    try {
      const established = once(router, "endOfRib");
      await speaker.start();
      await established;
      const announcer = new Announcer(OPEN);
      let routes: ReadonlyMap<string, AnnouncedRoute> = new Map();
      let changes = 0;
      const samples: number[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        // Every third round all are gone; else all have another MED.
        const world = snapshot({ networks: [ovn("net")], instances: round % 3 === 0 ? [] : instances(round) });
        const { routes: next } = announcer.announce(world);
        const { announced, withdrawn } = diffRoutes(routes, next);
        const told = once(router, "update");
        speaker.update({ announce: announced, withdraw: withdrawn.map(({ prefix }) => prefix) });
        await told;
        changes += announced.length + withdrawn.length;
        routes = next;
        if (round % (ROUNDS / 10) === 0) samples.push(heap());
      }
      expect(changes).toBe(CHANGES);
      // The first tenths fill what is meant to be kept: tables, buffers, compiled code.
      const [settled = 0] = samples.slice(2);
      expect(Math.max(...samples.slice(3))).toBeLessThan(settled + 5);
      expect(settled).toBeLessThan(before + 50);
    } finally {
      await speaker.stop();
      await router.stop();
    }
  },
);

/** Made anew, as if LXD had been read: nothing decided of the last ones can be used again. */
function instances(round: number): Instance[] {
  return Array.from({ length: ROUTES / PER_INSTANCE }, (_, n) => {
    const routes = Array.from({ length: PER_INSTANCE }, (__, i) => `198.18.${n}.${i}/32`).join(",");
    const config = { "user.trivet.announce.med": String(round) };
    return instance(`c${n}`, { network: "net", "ipv4.routes.external": routes }, { expanded_config: config });
  });
}
