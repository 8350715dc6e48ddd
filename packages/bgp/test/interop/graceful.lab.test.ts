import { type Frr, GoBgp, describeLab, eventually } from "@trivet/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GRACEFUL_SHUTDOWN, Link, OURS, ROUTER, ROUTER_ASN } from "../support/lab-link.ts";
import { RemoteSpeaker } from "../support/remote-speaker.ts";

const ROUTES = [
  { prefix: "10.0.0.0/8", nextHop: OURS[4] },
  { prefix: "10.1.0.0/16", nextHop: OURS[4] },
];

const BOTH = [...ROUTES, { prefix: "2001:db8:9::/48", nextHop: OURS[6] }];

/** Asks again and again, from now until the returned function is called, for a number; that answers with the least. */
function watchLeast(probe: () => Promise<number>): () => Promise<number> {
  const watching = new AbortController();
  const watch = async (): Promise<number> => {
    let least = Infinity;
    do least = Math.min(least, await probe());
    while (!watching.signal.aborted);
    return least;
  };
  const answer = watch();
  return async () => {
    watching.abort();
    return await answer;
  };
}

describeLab(
  "graceful restart, graceful shutdown and link-local sessions",
  { programs: ["bgpd", "zebra", "vtysh", "bird", "birdc", "gobgpd", "gobgp"] },
  () => {
    let link: Link;
    beforeAll(async () => {
      link = await Link.create();
    });
    afterEach(async () => {
      await link.end();
    });
    afterAll(async () => {
      await link.remove();
    });

    describe("RFC 4724: the speaker restarts, FRR helps", () => {
      test.each(["detach", "kill"] as const)(
        "after %s no route is missing at any moment, and stale ones go at End-of-RIB",
        async (how) => {
          const router = await link.startRouter("FRR", {});
          const first = await link.startSpeaker({ gracefulRestart: { restartTime: 30 } });
          await first.announce(ROUTES);
          await link.established(OURS[4]);
          await eventually("the routes are there", async () => (await router.count(4)) === 2);
          const least = watchLeast(async () => router.count(4));

          if (how === "detach") await first.call("detach");
          await first.kill();
          await eventually("the session is gone", async () => (await router.sessionState(OURS[4])) !== "established");

          const second = await link.startSpeaker(
            { gracefulRestart: { restartTime: 30 } },
            { restarting: true, holdEndOfRib: true },
          );
          await link.established(OURS[4]);
          // Established and nothing announced yet: the stale routes still stand.
          expect(await least()).toBe(2);
          await second.announce(ROUTES.slice(0, 1));
          await second.call("releaseEndOfRib");
          await eventually("the stale route is gone", async () => (await router.count(4)) === 1);
          expect(await router.nextHops("10.0.0.0/8")).toEqual([OURS[4]]);
        },
      );

      test("after a boot (no forwarding state kept) what FRR kept is gone as soon as the session is back", async () => {
        const router = await link.startRouter("FRR", {});
        const first = await link.startSpeaker({ gracefulRestart: { restartTime: 120 } });
        await first.announce(ROUTES);
        await link.established(OURS[4]);
        await eventually("the routes are there", async () => (await router.count(4)) === 2);
        await first.kill();
        await eventually("the session is gone", async () => (await router.sessionState(OURS[4])) !== "established");
        expect(await router.count(4)).toBe(2);
        await link.startSpeaker(
          { gracefulRestart: { restartTime: 120 } },
          { forwardingKept: false, holdEndOfRib: true },
        );
        await eventually("no route is left", async () => (await router.count(4)) === 0);
      });

      test("stop is final: the routes are gone at once, in spite of graceful restart", async () => {
        const router = await link.startRouter(
          "FRR",
          {},
          { extra: "router bgp 65000\n bgp graceful-restart notification\nexit" },
        );
        const speaker = await link.startSpeaker({ gracefulRestart: { restartTime: 120 } });
        await speaker.announce(ROUTES);
        await link.established(OURS[4]);
        await eventually("the routes are there", async () => (await router.count(4)) === 2);
        await speaker.call("stop", "server goes away");
        await eventually("no route is left", async () => (await router.count(4)) === 0, 5_000);
        expect(await (router as Frr).vtysh("show bgp neighbors")).toContain(
          "Notification received (Cease/Administrative Shutdown/Hard Reset)",
        );
      });
    });

    test("FRR keeps what a predecessor of another make announced, until a speaker at its address has told the same", async () => {
      // As lxd-bgp: GoBGP with graceful restart, which ends without a word. It had one session for both families.
      const router = (await link.startRouter("FRR", {})) as Frr;
      const family = (name: string): string => `
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${name}"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true`;
      await using predecessor = new GoBgp(link.ours, {
        asn: 65001,
        routerId: OURS[4],
        neighbors: [],
        extra: `[[neighbors]]
  [neighbors.config]
    neighbor-address = "${ROUTER[4]}"
    peer-as = ${ROUTER_ASN}
  [neighbors.timers.config]
    connect-retry = 1
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 120${family("ipv4-unicast")}${family("ipv6-unicast")}`,
      });
      await predecessor.start();
      for (const { prefix, nextHop } of BOTH)
        await predecessor.gobgp(
          "global",
          "rib",
          "add",
          prefix,
          "nexthop",
          nextHop,
          "-a",
          prefix.includes(":") ? "ipv6" : "ipv4",
        );
      await eventually("the routes are there", async () => (await router.count(4)) + (await router.count(6)) === 3);
      const least = watchLeast(async () => (await router.count(4)) + (await router.count(6)));

      await predecessor.stop("SIGKILL");
      await eventually("its session is gone", async () => (await router.sessionState(OURS[4])) !== "established");
      // It never ran here before: nothing says that it restarts.
      const speaker = await link.startSpeaker({ gracefulRestart: { restartTime: 30 } }, { holdEndOfRib: true });
      await link.established(OURS[4]);
      await speaker.announce(BOTH);
      await speaker.call("releaseEndOfRib");
      await eventually("nothing is stale", async () => !(await router.vtysh("show bgp ipv4 unicast")).includes("S>"));
      expect(await least()).toBe(3);
    });

    test("RFC 8326: drain adds the community to every route", async () => {
      const router = (await link.startRouter("FRR", {})) as Frr;
      const speaker = await link.startSpeaker({});
      await speaker.announce(ROUTES);
      await link.established(OURS[4]);
      await eventually("the routes are there", async () => (await router.count(4)) === 2);
      await speaker.call("drain");
      for (const { prefix } of ROUTES)
        await eventually(`${prefix} is marked`, async () =>
          (await router.vtysh(`show bgp ipv4 unicast ${prefix}`)).includes(GRACEFUL_SHUTDOWN),
        );
      expect(await router.count(4)).toBe(2);
    });

    test.each(["FRR", "BIRD"])("%s over link-local addresses", async (kind) => {
      await link.startRouter(kind, { address: "fe80::1%downlink", passive: true, extendedNextHop: true });
      const speaker = await link.startSpeaker({
        address: "fe80::fe%uplink",
        // The interface has another link-local address, made of its MAC.
        localAddress: "fe80::1%uplink",
        extendedNextHop: true,
      });
      await speaker.announce([{ prefix: "2001:db8:9::/48", nextHop: OURS[6] }, { prefix: "10.0.0.0/8" }]);
      await link.established("fe80::1%downlink");
      await eventually(
        "the routes are there",
        async () => (await link.router?.count(6)) === 1 && (await link.router?.count(4)) === 1,
      );
      expect(await link.router?.nextHops("10.0.0.0/8")).toEqual(["fe80::1"]);
      expect((await speaker.sessions())[0]).toMatchObject({ peer: "fe80::fe%uplink", local: "fe80::1%uplink" });
    });

    test("RFC 2385: FRR over link-local addresses with a password", async () => {
      await link.startRouter("FRR", { address: "fe80::1%downlink", passive: true, password: "tripod" });
      await link.startSpeaker({ address: "fe80::fe%uplink", localAddress: "fe80::1%uplink", password: "tripod" });
      await link.established("fe80::1%downlink");
    });

    test("RFC 2385: a link-local peer that connects with its password is let in", async () => {
      const speaker = await link.startSpeaker(
        { address: "fe80::fe%uplink", passive: true, password: "tripod" },
        { listen: [{ address: "fe80::1%uplink" }] },
      );
      await using _peer = await RemoteSpeaker.start(link.theirs, {
        asn: ROUTER_ASN,
        routerId: ROUTER[4],
        peers: [{ address: "fe80::1%downlink", localAddress: "fe80::fe%downlink", asn: 65001, password: "tripod" }],
      });
      await eventually("it is established", async () => (await speaker.sessions())[0]?.state === "established");
    });
  },
);
