import { ANYCAST, type Lab, expectedRoutes, heal } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type Tools, healthy, nameServerReached, table } from "./lab.ts";

const TRIVET = "/srv/node /srv/trivet/packages/cli/src/main.ts";
/** Milliseconds for all of a maintenance, on a machine with other things to do. */
const LONG = 300_000;
const PATIENCE = { timeout: 150_000 };

/** Drains ordered, carried out and taken back, on LXD as on Incus. */
export function drains(lab: () => Lab, { cli }: Tools): void {
  beforeEach(async () => {
    await undrain();
    await healthy(lab());
  });
  afterAll(async () => {
    await undrain();
    await heal(lab());
    await healthy(lab());
  });

  const trivet = async (words: string): Promise<string> => await lab().first.sh(`${TRIVET} ${words}`, PATIENCE);

  /** A test that failed may have left the order. */
  async function undrain(): Promise<void> {
    await trivet("undrain dns/dns02");
  }

  /** Stops and starts the name server of abydos, until it answers and packets reach it. */
  async function restartNameServer(): Promise<void> {
    await lab().first.sh(`${cli} stop -f dns02 --project dns; ${cli} start dns02 --project dns`, PATIENCE);
    await eventually(
      "dns02 answers",
      async () => await lab().first.sh(`${cli} exec dns02 --project dns -- nslookup mx.trivet.example ${ANYCAST.ipv4}`),
      90_000,
    );
    await nameServerReached(lab(), "abydos");
  }

  async function allAnnounced(): Promise<void> {
    const all = expectedRoutes(lab().topology).join("\n");
    await eventually("all is announced as before", async () => (await table(lab())).join("\n") === all, 60_000);
  }

  const announced = async (server: string): Promise<string[]> =>
    (await table(lab())).filter((line) => line.endsWith(` ${server}`));

  test("an anycast instance: drain, stop, start, undrain", { timeout: LONG }, async () => {
    const said = await trivet("drain dns/dns02");
    const routers = lab().topology.servers.flatMap(({ router }) => [router.name, `${router.name}-v6`]);
    expect(said).toContain(`withdrawn; ${routers.length} of ${routers.length} routers have been told`);
    expect(said).toContain(`${routers.join(", ")} confirmed to have read that`);
    expect(said).toContain("dns/dns02 on abydos: safe to stop");
    expect(await announced("abydos")).not.toContain(`${ANYCAST.ipv4}/32 abydos`);
    await restartNameServer();
    // The order stands in LXD: that it runs again does not announce it.
    expect(await announced("abydos")).not.toContain(`${ANYCAST.ipv4}/32 abydos`);
    await undrain();
    await allAnnounced();
  });

  test(
    "a whole server: what others announce through its gateways is the last resort meanwhile",
    { timeout: LONG },
    async () => {
      const [network] = lab().topology.plan.networks;
      if (network === undefined) throw new Error("the lab has no network");
      const state = await lab().first.sh(`${cli} query /1.0/networks/${network.name}/state`);
      const [holder = ""] = (JSON.parse(state) as { ovn: { chassis: string } }).ovn.chassis.split(".");
      try {
        const said = await trivet(`drain ${holder} --force`);
        expect(said).toContain(`${holder}: safe to stop`);
        expect(said).toMatch(new RegExp(`: it is the gateway of .*\\(.*\\bdefault/${network.name}\\b.*\\)`));
        expect(await announced(holder)).toEqual([]);
        const explained = await trivet(`routes --explain ${network.subnet6}/64`);
        for (const { name } of lab().servers.filter((server) => server.name !== holder))
          expect(explained).toMatch(
            new RegExp(`^ *${name}: announced via .*; held back: its gateway is on ${holder}, which is drained$`, "m"),
          );
      } finally {
        await trivet(`undrain ${holder}`);
      }
      await allAnnounced();
    },
  );
}
