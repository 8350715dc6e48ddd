import type { Context, Hono } from "hono";
import { LxdError } from "@trivet/lxd";
import { viewRoute } from "../announce/explain.ts";
import type { Agent } from "../daemon/agent.ts";
import { type Drainable, DrainTargetError, findTarget, formatTarget } from "../drain/target.ts";
import { notYet } from "./app.ts";
import type { AskOthers } from "./others.ts";
import type { DrainOrderAnswer, RoutesAnswer } from "./types.ts";

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
      const alone = drain ? await announcedByNobodyElse(agent, askOthers, what) : [];
      if (alone.length > 0 && force !== "true") return c.json({ error: refusal(what, alone) }, 400);
      await agent.drain(what, drain);
      return c.json({ target: formatTarget(what), server: what.server, drain, alone } satisfies DrainOrderAnswer);
    } catch (error) {
      if (error instanceof DrainTargetError) return c.json({ error: error.message }, 400);
      if (error instanceof LxdError) return c.json({ error: error.message }, 502);
      throw error;
    }
  };
  app.put("/v1/drain", async (c) => await control(c, true));
  app.delete("/v1/drain", async (c) => await control(c, false));
}

function refusal(what: Drainable, alone: readonly string[]): string {
  const [first = "", ...more] = alone;
  const prefixes = more.length === 0 ? first : `${first} and ${more.length} more`;
  return `draining ${formatTarget(what)} stops traffic to ${prefixes}: nobody else announces it; use --force to do so`;
}

/** Prefixes of the target that no other server announces now, except on its own way out. A server that cannot be asked announces nothing. */
async function announcedByNobodyElse(agent: Agent, askOthers: AskOthers, what: Drainable): Promise<string[]> {
  const mine = agent.snapshot?.server === what.server ? [] : [...agent.announcement.routes.values()].map(viewRoute);
  const theirs = (await askOthers("/v1/routes")).flatMap((said) =>
    said.server === what.server || "error" in said ? [] : (said.answer as RoutesAnswer).routes,
  );
  const staying = [...mine, ...theirs].filter(
    ({ attributes }) => attributes?.communities?.includes("graceful-shutdown") !== true,
  );
  const elsewhere = new Set(staying.map(({ prefix }) => prefix));
  return agent.drainable(what).filter((prefix) => !elsewhere.has(prefix));
}
