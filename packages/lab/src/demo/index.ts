import { AgentEndedError, type Command } from "./agents.ts";
import { type Claim, type Measurement, NotInTimeError, type Teller } from "./claims.ts";
import { STORY, type Try } from "./story.ts";
import { World } from "./world.ts";

export type { Command } from "./agents.ts";
export type { Claim, Teller } from "./claims.ts";

export interface DemoOptions {
  /** Runs `trivet`: the agents are started with it. */
  readonly command: Command;
  readonly teller: Teller;
  /** Ends the demo at any moment; everything it started is gone when its promise settles. */
  readonly signal: AbortSignal;
}

/** The world after the story, while it stays up. */
export interface Playground {
  readonly claims: readonly Claim[];
  /** Path of the API socket of each server's agent, by server. */
  readonly agents: ReadonlyMap<string, string>;
  /** Path of the socket of each server's simulated LXD, by server. */
  readonly lxd: ReadonlyMap<string, string>;
  /** Calls back with each change that a router learns and with the end of an agent, for people, in one line. */
  watch(tell: (line: string) => void): void;
}

/**
 * Plays the demo: a simulated cluster, an agent process for each server, real BGP sessions over loopback to two routers.
 *
 * @param explore called after a story whose claims all held, with everything still up; ends the demo when it resolves
 * @returns the claims, as far as the story got: it ends with the first that does not hold. Nothing when `signal` ended it.
 */
export async function playDemo(
  options: DemoOptions,
  explore?: (playground: Playground) => Promise<void>,
): Promise<readonly Claim[] | undefined> {
  const { command, teller, signal } = options;
  const claims: Claim[] = [];
  try {
    await using world = await World.create(command, signal);
    teller.say(introduction(world));
    for (const { title, play } of STORY) {
      teller.say(title(world));
      await play(world, tryClaim(claims, options));
    }
    await explore?.(playgroundOf(world, claims));
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    if (!(error instanceof ClaimFailed)) throw error;
  }
  return claims;
}

/** A claim did not hold, and was told: the story has no point any more. */
class ClaimFailed extends Error {
  override readonly name = "ClaimFailed";
}

function tryClaim(claims: Claim[], { teller, signal }: DemoOptions): Try {
  return async (name, text, attempt) => {
    const began = performance.now();
    const measurement = await attempt().catch((error: unknown): Measurement => {
      if (error instanceof NotInTimeError || error instanceof AgentEndedError)
        return { held: false, measured: performance.now() - began, unit: "ms", why: error.message };
      throw error;
    });
    signal.throwIfAborted(); // an agent that was interrupted along with this process proves nothing
    const measured = Math.round(measurement.measured * 10) / 10;
    const claim: Claim = { name, held: true, ...measurement, measured };
    claims.push(claim);
    teller.claim(text, claim);
    if (!claim.held) throw new ClaimFailed(name);
  };
}

function introduction({ servers, cluster, routers }: World): string {
  const { instances, projects, networks } = cluster.scene;
  const { name: uplink } = cluster.scene.uplink;
  return (
    `A cluster of ${servers.length} servers, ${servers.join(", ")}, with ${instances.length} instances in ${projects.length} ` +
    `projects on ${networks.length} OVN networks behind ${uplink}. Its LXD is simulated. The rest is real: on each server a ` +
    `trivet agent, a process of its own, and two routers (${routers.map(({ name, address }) => `${name} on ${address}`).join(", ")}) ` +
    `that the agents tell by BGP over TCP which addresses lead where.`
  );
}

function playgroundOf(world: World, claims: readonly Claim[]): Playground {
  return {
    claims,
    agents: new Map(world.servers.map((server) => [server, world.socket(server)])),
    lxd: new Map(world.servers.map((server) => [server, world.cluster.socket(server)])),
    watch: (tell) => {
      const [router] = world.routers; // the others learn the same
      router?.on("routes", (server, changes) => {
        for (const change of changes) tell(`${router.name}: ${server} ${change}`);
      });
      for (const agent of world.agents.values()) agent.on("ended", ({ message }) => tell(message));
    },
  };
}
