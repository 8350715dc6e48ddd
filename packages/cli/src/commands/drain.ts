import { setTimeout as delay } from "node:timers/promises";
import { buildCommand } from "@stricli/core";
import type { AgentClient, DrainOrderAnswer, DrainView, DrainsAnswer } from "@trivet/agent";
import type { Context } from "../context.ts";
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

const POLL = 250;
/** Milliseconds in which an agent learns of an order from LXD; as long as one without LXD's events takes, at worst. */
const PATIENCE = 20_000;

const target = { brief: "SERVER, PROJECT/INSTANCE, or a PREFIX on this server", placeholder: "target", parse: String };
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
      "`trivet undrain` takes it back.",
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
    if (what === undefined) return await list(this, agent, json);
    const ordered = await agent.change<DrainOrderAnswer>("PUT", pathOf(what, server, force));
    const step = json
      ? () => undefined
      : (line: string) => this.print(`${ordered.target} on ${ordered.server}: ${line}`);
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
    await until(agent, ordered, (view) => view === undefined);
    if (json) this.printJson(ordered);
    else this.print(`${ordered.target} on ${ordered.server}: no longer drained`);
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
      `${count(first.prefixes, "prefix", "prefixes")} marked for graceful shutdown; routers have ${first.remaining ?? 0} s to move`,
    );
  const left = first.phase === "moving" ? await until(agent, ordered, (view) => view?.phase !== "moving") : first;
  if (left?.phase === "leaving") {
    for (const peer of left.moved) step(`${peer} uses another path`);
    step(`withdrawn; ${left.told.sessions} of ${left.told.of} sessions have been told`);
  }
  const done = await until(agent, ordered, (view) => view === undefined || view.phase === "safe");
  if (done === undefined)
    throw new NotTakenUpError(
      `${ordered.target} on ${ordered.server}: is no longer drained there: the order was taken back, or the instance moved`,
    );
  const { routers: { confirmed, silent } = { confirmed: [], silent: [] }, gateways = [] } = done;
  if (confirmed.length > 0) step(`${confirmed.join(", ")} confirmed to have read that`);
  if (silent.length > 0)
    step(`${silent.join(", ")} did not confirm it in time: see whether it still sends packets here`);
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
  { target, server }: DrainOrderAnswer,
  wanted: (view: DrainView | undefined) => boolean,
): Promise<DrainView | undefined> {
  let end = performance.now() + PATIENCE;
  for (;;) {
    const { servers } = await agent.get<DrainsAnswer>("/v1/drain?everywhere=true");
    const owner = servers.find((one) => one.server === server);
    const view =
      owner !== undefined && "drains" in owner ? owner.drains.find((one) => one.target === target) : undefined;
    const reached = owner !== undefined && "drains" in owner;
    if (reached && wanted(view)) return view;
    if (view?.remaining !== undefined) end = Math.max(end, performance.now() + view.remaining * 1000 + PATIENCE);
    if (performance.now() > end) {
      const why = owner !== undefined && "error" in owner ? `cannot be asked: ${owner.error}` : "has not taken it up";
      throw new NotTakenUpError(
        `the order for ${target} stands in LXD, but the agent of ${server} ${why}; see \`systemctl status trivet-agent\` there`,
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
      ? [[one.server, context.paint("yellow", `could not be asked: ${one.error}`)]]
      : one.drains.map(({ target, phase, prefixes }) => [
          one.server,
          target,
          phase,
          count(prefixes, "prefix", "prefixes"),
        ]),
  );
  context.print(rows.length === 0 ? "nothing is drained" : table(["SERVER", "TARGET", "PHASE", ""], rows));
}

function count(things: readonly unknown[], one: string, more: string): string {
  return `${things.length} ${things.length === 1 ? one : more}`;
}
