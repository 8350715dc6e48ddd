import { setTimeout as delay } from "node:timers/promises";
import { buildCommand } from "@stricli/core";
import type { AgentClient, DrainOrderAnswer, DrainView, DrainsAnswer } from "@trivet/agent";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import { jsonFlag, socketFlag } from "../flags.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json: boolean;
  readonly socket?: string;
  readonly server?: string;
}

/** The agent of a server does not do what was ordered. */
class NotTakenUpError extends Error {
  override readonly name = "NotTakenUpError";
  readonly fault = "world";
}

/** What was asked for makes no sense, or is somewhere else. */
class DrainRequestError extends Error {
  override readonly name = "DrainRequestError";
  readonly fault = "input";
}

const POLL = 250;
/** Milliseconds in which an agent learns of an order from LXD; as long as one without LXD's events takes, at worst. */
const PATIENCE = 20_000;

const target = {
  brief: "SERVER, PROJECT/INSTANCE, or a PREFIX on this server or on --server",
  placeholder: "target",
  parse: String,
};
const flags = {
  json: jsonFlag,
  socket: socketFlag,
  server: {
    kind: "parsed",
    parse: String,
    brief: "The server on which a prefix is drained",
    placeholder: "name",
    optional: true,
  },
} as const;

export const drain = buildCommand<Flags & { readonly force: boolean }, [string?], Context>({
  docs: {
    brief:
      "Moves traffic away from a server, instance or prefix before it is stopped; without one, lists what is drained",
    fullDescription:
      "Asks the routers to prefer other paths (RFC 8326), gives them the time `drain.wait` of agent.yaml, withdraws, waits until they\n" +
      "have read that where they can say so, and ends when it is safe to stop. The order stands in LXD: it outlives the agent and this command, and may be given on any server.\n" +
      "`trivet undrain` takes it back.\n" +
      "Exit status: 0 safe to stop, 1 refused, 69 an agent or LXD does not do it or cannot be asked.",
  },
  parameters: {
    flags: {
      ...flags,
      force: { kind: "boolean", brief: "Also where nobody else announces a prefix: its traffic stops", default: false },
    },
    positional: { kind: "tuple", parameters: [{ ...target, optional: true }] },
  },
  async func({ json, socket, server, force }, what) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    if (what === undefined) {
      if (server !== undefined || force)
        throw new DrainRequestError("say what is to be drained: a server is drained by `trivet drain SERVER`");
      return await list(this, agent, json);
    }
    const ordered = await agent.change<DrainOrderAnswer>("PUT", pathOf(what, server, force));
    const step = json ? () => undefined : (line: string) => this.print(`${placeOf(ordered)}: ${line}`);
    const done = await follow(agent, ordered, step);
    if (json) this.printJson({ ...done, alone: ordered.alone });
    return undefined;
  },
});

export const undrain = buildCommand<Flags, [string], Context>({
  docs: { brief: "Announces again what `trivet drain` took away" },
  parameters: { flags, positional: { kind: "tuple", parameters: [target] } },
  async func({ json, socket, server }, what) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    const ordered = await agent.change<DrainOrderAnswer>("DELETE", pathOf(what, server, false));
    const { changed, elsewhere, left } = ordered;
    if (elsewhere.length > 0)
      throw new DrainRequestError(
        `${placeOf(ordered)} was not drained; it is on ${elsewhere.join(" and ")}: say so with --server`,
      );
    if (changed) await until(agent, ordered, (view) => view === undefined);
    if (json) return this.printJson(ordered);
    this.print(`${placeOf(ordered)}: ${changed ? "no longer drained" : "was not drained"}`);
    if (left.length > 0) this.print(`still drained on ${ordered.server}: ${left.join(", ")}`);
    return undefined;
  },
});

function pathOf(what: string, server: string | undefined, force: boolean): string {
  const query = new URLSearchParams({
    target: what,
    force: String(force),
    ...(server === undefined ? {} : { server }),
  });
  return `/v1/drain?${query.toString()}`;
}

/** What, and where unless that says so itself. */
function placeOf({ target: what, server }: DrainOrderAnswer): string {
  return what === server ? server : `${what} on ${server}`;
}

/** Tells each step once, as it happens. @returns how it stands when it is safe to stop */
async function follow(
  agent: AgentClient,
  ordered: DrainOrderAnswer,
  step: (line: string) => unknown,
): Promise<DrainView> {
  const taken = await until(agent, ordered, (view) => view !== undefined);
  const first = taken as DrainView;
  if (first.prefixes.length === 0) step("nothing of it is announced");
  else if (first.phase === "moving")
    step(
      `${count(first.prefixes, "prefix", "prefixes")} marked for graceful shutdown; routers have ${Math.ceil(first.remaining ?? 0)} s to move`,
    );
  const left = first.phase === "moving" ? await until(agent, ordered, (view) => view?.phase !== "moving") : first;
  if (left?.phase === "leaving") {
    for (const peer of left.moved) step(`${peer} uses another path`);
    step(`withdrawn; ${left.told.sessions} of ${left.told.of} routers have been told`);
  }
  const done = await until(agent, ordered, (view) => view === undefined || view.phase === "safe");
  if (done === undefined)
    throw new NotTakenUpError(
      `${ordered.target} on ${ordered.server}: is no longer drained there: the order was taken back, or the instance moved`,
    );
  const { routers: { confirmed, silent, absent } = { confirmed: [], silent: [], absent: [] }, gateways = [] } = done;
  if (confirmed.length > 0) step(`${confirmed.join(", ")} confirmed to have read that`);
  if (silent.length > 0)
    step(`${silent.join(", ")} did not confirm it in time: see whether it still sends packets here`);
  if (absent.length > 0)
    step(
      `${absent.join(", ")} has no session and was not told: what it still holds of before, it drops by its own timers`,
    );
  step("safe to stop");
  if (gateways.length > 0)
    step(
      `it is the gateway of ${count(gateways, "network", "networks")} (${gateways.join(", ")}): single instances there pause while OVN moves it`,
    );
  return done;
}

/** Waits until a drain is as wanted. What it was doing when asked goes on for as long as it says. */
async function until(
  agent: AgentClient,
  { target, server, drain: ordered }: DrainOrderAnswer,
  wanted: (view: DrainView | undefined) => boolean,
): Promise<DrainView | undefined> {
  let end = performance.now() + PATIENCE;
  for (;;) {
    // That one alone: another that hangs must not keep this from being followed.
    const { servers } = await agent.get<DrainsAnswer>(`/v1/drain?server=${encodeURIComponent(server)}`);
    const owner = servers.find((one) => one.server === server);
    const view =
      owner !== undefined && "drains" in owner ? owner.drains.find((one) => one.target === target) : undefined;
    const reached = owner !== undefined && "drains" in owner;
    if (reached && wanted(view)) return view;
    if (view?.remaining !== undefined) end = Math.max(end, performance.now() + view.remaining * 1000 + PATIENCE);
    if (performance.now() > end) {
      const why = owner !== undefined && "error" in owner ? `cannot be asked: ${owner.error}` : "has not taken it up";
      throw new NotTakenUpError(
        `the order for ${target} ${ordered ? "stands" : "was taken back"} in LXD, but the agent of ${server} ${why}; see \`systemctl status trivet-agent\` there`,
      );
    }
    await delay(POLL);
  }
}

async function list(context: Context, agent: AgentClient, json: boolean): Promise<void> {
  const { servers } = await agent.get<DrainsAnswer>("/v1/drain?everywhere=true");
  if (json) return context.printJson(servers);
  const rows = servers.flatMap((one) =>
    "error" in one
      ? []
      : one.drains.map(({ target, phase, prefixes, remaining }) => [
          one.server,
          target,
          remaining === undefined ? phase : `${phase}, ${Math.ceil(remaining)} s`,
          count(prefixes, "prefix", "prefixes"),
        ]),
  );
  context.print(rows.length === 0 ? "nothing is drained" : table(["SERVER", "TARGET", "PHASE", ""], rows));
  for (const one of servers)
    if ("error" in one) {
      context.print(context.paint("yellow", `${one.server} could not be asked: ${one.error}`));
      context.exit(EXIT.world);
    }
}

function count(things: readonly unknown[], one: string, more: string): string {
  return `${things.length} ${things.length === 1 ? one : more}`;
}
