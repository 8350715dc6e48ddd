import type { Context, Hono } from "hono";
import type { Agent } from "../daemon/agent.ts";
import { type Drainable, DrainTargetError, findTarget, formatTarget, isIn } from "../drain/target.ts";
import { notYet } from "./app.ts";
import type { AskOthers } from "./others.ts";
import type { DrainOrderAnswer, RoutesAnswer } from "./types.ts";
import { viewRoutes } from "./views.ts";

/**
 * Ordering drains, for the unix socket only: `PUT` and `DELETE /v1/drain`, with `target` (SERVER, PROJECT/INSTANCE or PREFIX; this
 * server unless told), `server` for a prefix, and `force`. The order stands in LXD, whichever server it concerns.
 */
export function addDrainControls(app: Hono, agent: Agent, askOthers: AskOthers): void {
  const control = async (c: Context, drain: boolean): Promise<Response> => {
    const { snapshot } = agent;
    if (snapshot === undefined) return notYet(c);
    const { target, server, force } = c.req.query();
    try {
      const what = findTarget(snapshot, target, server);
      const asked = drain && !agent.isOrdered(what);
      const { alone, objection } = asked ? await consequences(agent, askOthers, what) : { alone: [] };
      if (objection !== undefined && force !== "true") return c.json({ error: objection }, 400);
      const { changed, left } = await agent.drain(what, drain);
      const elsewhere = drain || changed ? [] : agent.orderedOn(what);
      const { server: owner } = what;
      const answer = { target: formatTarget(what), server: owner, drain, changed, alone, left, elsewhere };
      return c.json(answer satisfies DrainOrderAnswer);
    } catch (error) {
      if (error instanceof DrainTargetError) return c.json({ error: error.message }, 400);
      if ((error as { fault?: unknown }).fault === "world") return c.json({ error: (error as Error).message }, 502);
      throw error;
    }
  };
  app.put("/v1/drain", async (c) => await control(c, true));
  app.delete("/v1/drain", async (c) => await control(c, false));
}

interface Consequences {
  /** Prefixes that nobody else announces, except on its own way out. */
  readonly alone: readonly string[];
  /** Why it is most likely not what was meant. */
  readonly objection?: string;
}

/** What a drain takes away. A server that cannot be asked announces nothing, and one without a router tells nobody. */
async function consequences(agent: Agent, askOthers: AskOthers, what: Drainable): Promise<Consequences> {
  const others = (await askOthers("/v1/routes")).flatMap((said) =>
    "error" in said ? [] : [said.answer as RoutesAnswer],
  );
  const all = [viewRoutes(agent), ...others].filter(({ ready, routers }) => ready && routers > 0);
  const own = all.find(({ server }) => server === what.server);
  const prefixes = concerned(what, own, agent.drainable(what));
  const elsewhere = all.filter(({ server }) => server !== what.server);
  if (prefixes.length === 0 && what.target.kind === "prefix") {
    const holders = elsewhere.filter((one) => concerned(what, one, []).length > 0).map(({ server }) => server);
    return { alone: [], objection: nothingThere(what, holders) };
  }
  const staying = elsewhere
    .flatMap(({ routes }) => routes)
    .filter(({ attributes }) => attributes?.communities?.includes("graceful-shutdown") !== true);
  const served = new Set(staying.map(({ prefix }) => prefix));
  const alone = prefixes.filter((prefix) => !served.has(prefix));
  return alone.length === 0 ? { alone } : { alone, objection: stops(what, alone) };
}

/**
 * The prefixes of a target that are announced.
 *
 * @param said what its server's agent announces; unless it could be asked, LXD's word counts
 * @param could what LXD's word makes of the target
 */
function concerned({ target }: Drainable, said: RoutesAnswer | undefined, could: readonly string[]): readonly string[] {
  if (said === undefined) return could;
  const announced = said.routes.map(({ prefix }) => prefix);
  if (target.kind === "server") return announced;
  return announced.filter((prefix) => (target.kind === "prefix" ? isIn(prefix, target) : could.includes(prefix)));
}

function nothingThere(what: Drainable, holders: readonly string[]): string {
  const others = holders.length === 0 ? "nor does any other server" : `${holders.join(" and ")} does: add --server`;
  return `${what.server} announces nothing in ${formatTarget(what)}, ${others}; --force orders it nevertheless`;
}

/** As many are named one by one. */
const SEVERAL = 20;

function stops(what: Drainable, alone: readonly string[]): string {
  const more = alone.length > SEVERAL ? ` and ${alone.length - SEVERAL} more` : "";
  const prefixes = `${alone.slice(0, SEVERAL).join(", ")}${more}`;
  return `draining ${formatTarget(what)} stops traffic to ${prefixes}: nobody else announces ${alone.length === 1 ? "it" : "them"}; use --force to do so`;
}
