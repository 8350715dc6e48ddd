import { once } from "node:events";
import type { Namespace } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KINDS, Link, OURS, ROUTER, ROUTER_ASN } from "../support/lab-link.ts";

const MANY = 10_000;
const WITHIN = { 4: "10.0.0.0/16", 6: "2001:db8:100::/48" } as const;
/** The first and the last of them. */
const SOME = {
  4: ["10.0.0.0/32", "10.0.39.15/32"],
  6: ["2001:db8:100::/64", "2001:db8:100:270f::/64"],
} as const;

/** Segments that the kernel of a namespace dropped because their TCP-MD5 signature was wrong. */
async function wrongSignatures(namespace: Namespace): Promise<number> {
  const { stdout } = await namespace.run(["cat", "/proc/net/netstat"]);
  const [names = [], values = []] = stdout
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("TCPMD5Failure")]);
}

for (const [kind, { needs, extendedNextHop, enhancedRefresh }] of Object.entries(KINDS)) {
  describeLab(`interoperation with ${kind}`, { programs: needs }, () => {
    let link: Link;
    beforeAll(async () => {
      link = await Link.create();
    });
    afterAll(async () => {
      await link.remove();
    });

    describe.each([4, 6] as const)("over IPv%i", (family) => {
      beforeAll(async () => {
        await link.startRouter(
          kind,
          { address: OURS[family], passive: true },
          { announce: ["198.51.100.0/24", "2001:db8:f::/48"] },
        );
        await link.startSpeaker({ address: ROUTER[family] });
        await link.established(OURS[family]);
      });
      afterAll(async () => {
        await link.end();
      });

      test.each([4, 6] as const)(`${MANY} IPv%i routes are announced, then withdrawn`, async (routes) => {
        await link.speaker?.call("announceMany", WITHIN[routes], MANY, OURS[routes]);
        await eventually(
          "all routes are in the router's table",
          async () => (await link.router?.count(routes)) === MANY,
        );
        for (const prefix of SOME[routes]) expect(await link.router?.nextHops(prefix)).toEqual([OURS[routes]]);
        await link.speaker?.announce([]);
        await eventually("none is left", async () => (await link.router?.count(routes)) === 0);
      });

      test("its routes arrive", async () => {
        const received = await eventually("its routes are here", async () => {
          const prefixes = (await link.speaker?.call("adjRibIn", ROUTER[family])) as string[];
          return prefixes.length === 2 ? prefixes : undefined;
        });
        expect(received.toSorted()).toEqual(["198.51.100.0/24", "2001:db8:f::/48"]);
      });

      // GoBGP never asks.
      test.runIf(kind !== "GoBGP")("it asks for the routes again and gets them", async () => {
        const { speaker, router } = link;
        if (speaker === undefined || router === undefined) throw new Error("not running");
        await speaker.announce([{ prefix: "10.0.0.0/8", nextHop: OURS[4] }]);
        await eventually("the route is there", async () => (await router.count(4)) === 1);
        const before = (await speaker.sessions())[0]?.sent.update ?? 0;
        const asked = once(speaker, "refresh");
        await router.refresh(OURS[family]);
        await asked;
        await eventually("it was sent again", async () => ((await speaker.sessions())[0]?.sent.update ?? 0) > before);
        expect(await router.nextHops("10.0.0.0/8")).toEqual([OURS[4]]);
        await speaker.announce([]);
      });
    });

    test(`whether it has read what it was sent ${enhancedRefresh ? "is" : "cannot be"} learnt (RFC 7313)`, async () => {
      const outcome = enhancedRefresh ? "read" : "unable";
      const router = await link.startRouter(kind, { passive: true });
      // FRR 8.4 sends End-of-RIB, before which it must not answer, only to those with graceful restart.
      const speaker = await link.startSpeaker({ gracefulRestart: { restartTime: 5 } });
      await link.established(OURS[4]);
      if (enhancedRefresh)
        await eventually("its End-of-RIB came", async () => (await speaker.sessions())[0]?.endOfRib.length !== 0);
      for (const prefix of ["10.0.0.0/8", "11.0.0.0/8"]) {
        await speaker.announce([{ prefix, nextHop: OURS[4] }]);
        expect(await speaker.call("confirm")).toEqual([outcome]);
      }
      router.signal("SIGSTOP");
      await speaker.announce([]);
      const asked = speaker.call("confirm");
      router.signal("SIGCONT");
      expect(await asked).toEqual([outcome]);
      // FRR's table follows some 50 ms later, and a drain leaves it a second.
      if (enhancedRefresh) await eventually("its table follows", async () => (await router.count(4)) === 0, 1_000);
      await link.end();
    });

    test("the router connects to a speaker's listen range, which has a password", async () => {
      await link.startRouter(kind, { address: OURS[6], password: "seventeen" });
      await link.startSpeaker(
        {},
        { peers: [], ranges: [{ prefix: "2001:db8::/64", asn: ROUTER_ASN, password: "seventeen" }] },
      );
      await link.established(OURS[6]);
      expect(await link.speaker?.sessions()).toMatchObject([{ dynamic: true, peer: ROUTER[6] }]);
      await link.end();
    });

    test("a stopped router is given up after the hold time; both ends come back after restarts", async () => {
      const router = await link.startRouter(kind, { holdTime: 3 });
      let speaker = await link.startSpeaker({ holdTime: 3 });
      const routes = [{ prefix: "10.0.0.0/8", nextHop: OURS[4] }];
      await speaker.announce(routes);
      await link.established(OURS[4]);

      const expired = once(speaker, "notification");
      router.signal("SIGSTOP");
      expect(await expired).toMatchObject([{ direction: "sent", text: "Hold Timer Expired" }]);
      router.signal("SIGCONT");
      await link.established(OURS[4]);

      await router.stop("SIGKILL");
      await eventually("the loss is noticed", async () => (await speaker.sessions())[0]?.state !== "established");
      await router.start();
      await link.established(OURS[4]);
      await eventually("the route is back", async () => (await router.count(4)) === 1);

      await speaker.kill();
      await eventually("the router notices", async () => (await router.sessionState(OURS[4])) !== "established");
      speaker = await link.startSpeaker({ holdTime: 3 });
      await speaker.announce(routes);
      await link.established(OURS[4]);
      await eventually("the route is back", async () => (await router.count(4)) === 1);

      const down = eventually("shut down", async () => (await router.count(4)) === 0);
      await speaker.call("stop", "maintenance");
      await down;
      await link.end();
    });

    test.runIf(extendedNextHop)("IPv4 routes with an IPv6 next hop (RFC 8950)", async () => {
      await link.startRouter(kind, { address: OURS[6], extendedNextHop: true, passive: true });
      const speaker = await link.startSpeaker({ address: ROUTER[6], extendedNextHop: true });
      await link.established(OURS[6]);
      await speaker.announce([{ prefix: "10.0.0.0/8", nextHop: OURS[6] }]);
      await eventually("the route is there", async () => (await link.router?.count(4)) === 1);
      expect(await link.router?.nextHops("10.0.0.0/8")).toEqual([OURS[6]]);
      await link.end();
    });

    test.each(["outgoing", "incoming"] as const)(
      "TCP-MD5 and TTL security, %s: only with the right key",
      async (direction) => {
        const incoming = direction === "incoming";
        const router = await link.startRouter(kind, { password: "seventeen", ttlSecurity: true, passive: !incoming });
        const speaker = await link.startSpeaker({ password: "seventeen", ttlSecurity: 1, passive: incoming });
        await link.established(OURS[4]);
        await speaker.kill();
        await eventually("the router notices", async () => (await router.sessionState(OURS[4])) !== "established");
        const wrong = await link.startSpeaker({ password: "eighteen", ttlSecurity: 1, passive: incoming });
        let reached = false;
        wrong.on("session", ({ to }: { to: string }) => (reached ||= to === "open-sent"));
        const target = incoming ? link.ours : link.theirs;
        await eventually("the kernel dropped a wrong signature", async () => (await wrongSignatures(target)) > 0);
        expect(reached).toBe(false);
        await link.end();
      },
    );
  });
}
