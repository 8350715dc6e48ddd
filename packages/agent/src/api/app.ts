import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { RecordError } from "@trivet/dns";
import { AddressError, Prefix } from "@trivet/ip";
import { explain, viewRoute } from "../announce/explain.ts";
import type { Agent } from "../daemon/agent.ts";
import type { Metrics } from "../daemon/metrics.ts";
import { openApi } from "./openapi.ts";
import type { AskOthers, OthersAnswer } from "./others.ts";
import type { DrainsAnswer, ExplainAnswer, HealthAnswer, ServerDrains, ServerExplanation } from "./types.ts";
import { viewRoutes, viewSnapshot, viewStatus } from "./views.ts";

/** The API's routes; who may ask is decided before. */
export function createApp(agent: Agent, metrics: Metrics, askOthers: AskOthers): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => (agent.ready ? c.text("ready\n") : c.text("LXD was not read in full yet\n", 503)));
  app.get("/metrics", async (c) => c.body(await metrics.text(), 200, { "content-type": metrics.contentType }));
  app.get("/v1/status", (c) => c.json(viewStatus(agent)));
  app.get("/v1/sessions", (c) => c.json(agent.sessions()));
  app.get("/v1/bfd", async (c) => c.json(await agent.bfdSessions()));
  app.get("/v1/snapshot", (c) =>
    agent.snapshot === undefined ? notYet(c) : c.json(viewSnapshot(agent.snapshot) as object),
  );
  app.get("/v1/routes", (c) => c.json(viewRoutes(agent, c.req.query("refused") === "true")));
  app.get("/v1/routes/explain", async (c) => {
    const prefix = readPrefix(c.req.query("prefix") ?? "");
    if (typeof prefix === "string") return c.json({ error: prefix }, 400);
    if (agent.snapshot === undefined) return notYet(c);
    const mine = { server: agent.snapshot.server, ...explain(agent.announcement, prefix, agent.config.allow) };
    const path = `/v1/routes/explain?prefix=${encodeURIComponent(prefix.toString())}`;
    const others = c.req.query("everywhere") === "true" ? (await askOthers(path)).map(explanationOf) : [];
    const servers = [mine, ...others].sort((a, b) => (a.server < b.server ? -1 : 1));
    return c.json({ prefix: prefix.toString(), servers } satisfies ExplainAnswer);
  });
  app.get("/v1/drain", async (c) => {
    if (agent.snapshot === undefined) return notYet(c);
    const mine: ServerDrains = { server: agent.snapshot.server, drains: agent.drains() };
    const { everywhere, server } = c.req.query();
    if (server === undefined && everywhere !== "true") return c.json({ servers: [mine] } satisfies DrainsAnswer);
    const others = server === mine.server ? [] : (await askOthers("/v1/drain", server)).map(drainsOf);
    const servers = server === undefined || server === mine.server ? [mine, ...others] : others;
    return c.json({ servers } satisfies DrainsAnswer);
  });
  app.get("/v1/health", (c) =>
    c.json({ server: agent.snapshot?.server ?? "", checks: agent.checks.view() } satisfies HealthAnswer),
  );
  app.get("/v1/dns", (c) => (agent.dns === undefined ? noDns(c) : c.json(agent.dns.status)));
  app.get("/v1/dns/records", (c) => {
    if (agent.dns === undefined) return noDns(c);
    const { name, zone } = c.req.query();
    try {
      return c.json(name === undefined ? agent.dns.records(zone) : agent.dns.explain(name));
    } catch (error) {
      if (error instanceof RecordError) return c.json({ error: error.message }, 400);
      throw error;
    }
  });
  app.get("/v1/dns/zone", (c) => {
    if (agent.dns === undefined) return noDns(c);
    try {
      const name = c.req.query("name") ?? "";
      const zone = agent.dns.zone(name);
      if (zone !== undefined) return c.json(zone);
      return c.json({ error: `${name} is no zone that is answered here; \`trivet dns status\` lists them` }, 400);
    } catch (error) {
      if (error instanceof RecordError) return c.json({ error: error.message }, 400);
      throw error;
    }
  });
  app.get("/v1/events", (c) => events(c, agent));
  app.get("/v1/openapi.json", (c) => c.json(openApi() as object));
  app.notFound((c) => c.json({ error: `there is no ${c.req.method} ${c.req.path}` }, 404));
  return app;
}

function explanationOf(said: OthersAnswer): ServerExplanation {
  if ("error" in said) return said;
  const { servers } = said.answer as ExplainAnswer;
  return servers.find(({ server }) => server === said.server) ?? stranger(said);
}

function drainsOf(said: OthersAnswer): ServerDrains {
  if ("error" in said) return said;
  const { servers } = said.answer as DrainsAnswer;
  return servers.find(({ server }) => server === said.server) ?? stranger(said);
}

function stranger({ server }: OthersAnswer): { readonly server: string; readonly error: string } {
  return { server, error: "it calls itself by another name" };
}

function noDns(c: Context): Response {
  return c.json({ error: "DNS is not configured here; add `dns` to agent.yaml" }, 404);
}

export function notYet(c: Context): Response {
  return c.json({ error: "LXD was not read in full yet" }, 503);
}

/** An address stands for itself alone. @returns why it is none */
function readPrefix(text: string): Prefix | string {
  try {
    return Prefix.parse(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
  } catch (error) {
    if (error instanceof AddressError) return `prefix: ${error.message}`;
    throw error;
  }
}

/** Events that wait for a reader of the stream. */
const MOST_UNREAD = 1_000;

/** Server-sent events: `status` first, then what happens. */
function events(c: Context, agent: Agent): Response {
  return streamSSE(c, async (stream) => {
    let unread = 0;
    const send = (event: string, data: unknown): void => {
      // A reader that went away is noticed by onAbort; one that does not read would have all of it kept here.
      if (unread >= MOST_UNREAD) return stream.abort();
      unread++;
      void stream.writeSSE({ event, data: JSON.stringify(data) }).finally(() => unread--);
    };
    const listeners = {
      routes: (diff: {
        announced: readonly Parameters<typeof viewRoute>[0][];
        withdrawn: readonly { prefix: Prefix }[];
      }) =>
        send("routes", {
          announced: diff.announced.map(viewRoute),
          withdrawn: diff.withdrawn.map(({ prefix }) => prefix.toString()),
        }),
      session: (event: unknown) => send("session", event),
      health: (health: unknown) => send("health", health),
      snapshot: ({ takenAt, instances }: { takenAt: number; instances: ReadonlyMap<string, unknown> }) =>
        send("snapshot", { takenAt: new Date(takenAt).toISOString(), instances: instances.size }),
    };
    for (const [name, listener] of Object.entries(listeners)) agent.on(name as "health", listener as () => void);
    send("status", viewStatus(agent));
    const beat = setInterval(() => send("alive", {}), 15_000);
    await new Promise<void>((resolve) => stream.onAbort(resolve));
    clearInterval(beat);
    for (const [name, listener] of Object.entries(listeners)) agent.off(name as "health", listener as () => void);
  });
}
