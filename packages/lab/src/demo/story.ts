import { HOLD_TIME } from "./collector.ts";
import type { Measurement } from "./claims.ts";
import { NS1 } from "../sim/index.ts";
import type { World } from "./world.ts";

/** Tries one claim: `text` is what is claimed; throwing is not holding. */
export type Try = (name: string, text: string, attempt: () => Promise<Measurement>) => Promise<void>;

interface Chapter {
  /** What happens, for people. */
  readonly title: (world: World) => string;
  readonly play: (world: World, claim: Try) => Promise<void>;
}

const GIT = { project: "web", name: "git" } as const;
const MX = { project: "mail", name: "mx01" } as const;
const VPN = { project: "infra", name: "vpn" } as const;
const TAYGA = { project: "infra", name: "tayga01" } as const;
const NS1_FIRST = { project: "dns", name: "ns1-01" } as const;

/** The story, in order. Each chapter leaves the world as expected, and the next begins with that. */
export const STORY: readonly Chapter[] = [
  {
    title: ({ servers }) =>
      `The agents of ${list(servers)} start. Each reads its LXD and announces what belongs to it.`,
    async play(world, claim) {
      const began = performance.now();
      for (const agent of world.agents.values()) agent.start();
      await claim("routes-up", "both routers have all routes", async () => ms(await world.settled(began)));
      await claim("routes-exact", "and no other: exactly those that the cluster's description asks for", async () => {
        const wrong = world.differences();
        return await Promise.resolve({
          held: wrong.length === 0,
          measured: world.count(),
          unit: "routes",
          ...(wrong.length === 0 ? {} : { why: wrong.join("; ") }),
        });
      });
    },
  },
  {
    title: (world) => {
      const { server, routes } = world.expected.instance(GIT);
      return `Instance ${GIT.name} (${routes.join(", ")}) moves from ${server} to ${other(world, server)}.`;
    },
    async play(world, claim) {
      const to = other(world, world.expected.instance(GIT).server);
      await claim("move", `withdrawn by the old server, announced by ${to}: both routers know`, async () => {
        const began = performance.now();
        world.expected.change(GIT, { server: to });
        await world.cluster.moveInstance(GIT, to);
        return ms(await world.settled(began));
      });
    },
  },
  {
    title: (world) =>
      `Instance ${MX.name} (${world.expected.instance(MX).routes.join(", ")}) stops, then starts again.`,
    async play(world, claim) {
      await claim("stop", "stopped: its routes are gone from both routers", async () => await run(world, MX, false));
      await claim("start", "started: they are back", async () => await run(world, MX, true));
    },
  },
  {
    title: ({ servers }) =>
      `DNS service ns1 is anycast: ${list(NS1)} on one instance on each of ${list(servers)}. One of the three stops.`,
    async play(world, claim) {
      const { server } = world.expected.instance(NS1_FIRST);
      const others = world.servers.filter((name) => name !== server);
      const before = withdrawals(world, others);
      await claim("anycast", `${server} no longer announces it, ${list(others)} go on without a break`, async () => {
        const measurement = await run(world, NS1_FIRST, false);
        const broken = withdrawals(world, others) - before;
        return broken === 0
          ? measurement
          : { ...measurement, held: false, why: `${broken} routes of the others broke` };
      });
      await claim(
        "anycast-back",
        "started again: three paths as before",
        async () => await run(world, NS1_FIRST, true),
      );
    },
  },
  {
    title: ({ expected }) =>
      `The LXD daemon of ${expected.instance(TAYGA).server} hangs: it takes calls and answers none. Meanwhile, an instance stops there, ` +
      `and one on ${expected.instance(VPN).server}.`,
    async play(world, claim) {
      const hanging = world.expected.instance(TAYGA).server;
      world.cluster.faults.set(hanging, { hang: true });
      const before = withdrawals(world, [hanging]);
      await world.cluster.stopInstance(TAYGA);
      await claim("hang-others", "the other servers' agents go on working", async () => await run(world, VPN, false));
      await claim(
        "hang",
        `the agent of ${hanging} gave up waiting for LXD, and withdrew nothing for that`,
        async () => {
          await world.abandoned(hanging);
          const withdrawn = withdrawals(world, [hanging]) - before;
          const held = withdrawn === 0;
          return { held, measured: withdrawn, unit: "withdrawals", ...(held ? {} : { why: "it withdrew routes" }) };
        },
      );
      await claim("hang-over", "LXD answers again: what happened meanwhile is made good", async () => {
        const began = performance.now();
        world.expected.change(TAYGA, { running: false });
        world.cluster.faults.clear(hanging);
        return ms(await world.settled(began));
      });
      await claim("hang-after", "both instances start again, and are announced", async () => {
        const began = performance.now();
        for (const ref of [TAYGA, VPN]) await run(world, ref, true);
        return ms(performance.now() - began);
      });
    },
  },
  {
    title: () =>
      `orilla loses power: its instances, its LXD and its agent stop in the middle of a word, so nobody tells the routers. ` +
      `They find out by BGP's hold timer, ${HOLD_TIME} s here.`,
    async play(world, claim) {
      const dead = "orilla";
      const others = world.servers.filter((name) => name !== dead);
      const before = withdrawals(world, others);
      await claim("power-loss", `its routes leave both routers when the hold timer expires`, async () => {
        const began = performance.now();
        world.agent(dead).freeze();
        await world.cluster.killServer(dead);
        world.expected.setDead(dead, true);
        return ms(await world.settled(began));
      });
      await world.agent(dead).kill();
      await claim("survivors", `${list(others)} announce what they did before; ns1 has two paths left`, async () => {
        const withdrawn = withdrawals(world, others) - before;
        const paths = world.expected.announcers(NS1[0]).length;
        const wrong = world.differences();
        const held = withdrawn === 0 && paths === 2 && wrong.length === 0;
        const why = held ? {} : { why: wrong[0] ?? `${withdrawn} routes withdrawn, ${paths} paths to ns1` };
        return await Promise.resolve({ held, measured: withdrawn, unit: "withdrawals", ...why });
      });
    },
  },
  {
    title: () => "orilla is back: LXD starts its instances, and a new agent starts.",
    async play(world, claim) {
      await claim("return", "both routers have all routes again", async () => {
        const began = performance.now();
        world.expected.setDead("orilla", false);
        await world.cluster.reviveServer("orilla");
        world.agent("orilla").start();
        return ms(await world.settled(began));
      });
    },
  },
];

/** Starts or stops an instance, and waits until both routers know. */
async function run(world: World, ref: { project: string; name: string }, running: boolean): Promise<Measurement> {
  const began = performance.now();
  world.expected.change(ref, { running });
  await (running ? world.cluster.startInstance(ref) : world.cluster.stopInstance(ref));
  return ms(await world.settled(began));
}

function withdrawals(world: World, servers: readonly string[]): number {
  return world.routers.reduce(
    (sum, router) => sum + servers.reduce((own, server) => own + router.withdrawals(server), 0),
    0,
  );
}

function ms(measured: number): Measurement {
  return { measured, unit: "ms" };
}

function other({ servers }: World, server: string): string {
  return servers[(servers.indexOf(server) + 1) % servers.length] as string;
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
