import { Prefix } from "@trivet/ip";
import type { Config } from "@trivet/lxd";
import type { Candidate, Problem } from "../announce/candidate.ts";
import { type Snapshot, isLocal } from "../inventory/snapshot.ts";
import type { DrainTarget } from "./target.ts";

/**
 * Where orders to drain stand, in LXD: on the instance, so that one moves with it; or, for a server and prefixes on it, in the
 * configuration that all servers share, under the server's name.
 */
export const DRAIN_KEY = "user.trivet.drain";

export function serverKey(server: string): string {
  return `${DRAIN_KEY}.${server}`;
}

/** An order to drain something of this server. */
export interface Order {
  /** Unique on this server. */
  readonly key: string;
  readonly target: DrainTarget;
  /** When it was given: milliseconds since 1970; absent when it does not say. */
  readonly since?: number;
}

export interface Orders {
  readonly orders: readonly Order[];
  readonly problems: readonly Problem[];
}

/** The orders that concern the Snapshot's server. */
export function readOrders(
  snapshot: Pick<Snapshot, "server" | "clustered" | "instances" | "notes" | "members">,
): Orders {
  const { server, notes } = snapshot;
  const { orders: mine, unread } = readServerOrders(notes?.[serverKey(server)]);
  const orders = [...mine].map(([text, since]): Order => {
    const prefix = text === WHOLE ? undefined : Prefix.parse(text);
    return {
      key: text,
      target: prefix === undefined ? { kind: "server" } : { kind: "prefix", prefix },
      ...sinceOf(since),
    };
  });
  const problems: Problem[] = unread.map((value) => ({
    source: CLUSTER,
    key: serverKey(server),
    value,
    why: "is neither true, nor * or a prefix with a time after it",
  }));
  for (const [key, value] of Object.entries(notes ?? {}))
    if (isForNobody(key, snapshot))
      problems.push({ source: CLUSTER, key, value, why: "is for no server of this cluster" });
  for (const instance of snapshot.instances.values()) {
    const value = instance.expanded_config[DRAIN_KEY] ?? "";
    if (isNone(value) || !isLocal(snapshot, instance)) continue;
    const { project, name } = instance;
    const since = sinceOf(value);
    if (!isOrder(value)) {
      const source = { project, network: "", instance: name };
      problems.push({ source, key: DRAIN_KEY, value, why: "is neither true, false nor a time" });
    } else orders.push({ key: `${project}/${name}`, target: { kind: "instance", project, name }, ...since });
  }
  return { orders, problems };
}

/** Whether the key's value on an instance orders nothing. */
export function isNone(value: string | undefined): boolean {
  return value === undefined || value === "" || value === "false";
}

/** Whether the key's value on an instance is an order: `true`, or the time it was given. */
export function isOrder(value: string | undefined): boolean {
  return value === "true" || sinceOf(value ?? "").since !== undefined;
}

/** Whether a server is to go as a whole. */
export function isServerDrained(notes: Config | undefined, server: string): boolean {
  return readServerOrders(notes?.[serverKey(server)]).orders.has(WHOLE);
}

/** The whole server, where a prefix could stand. */
const WHOLE = "*";

/** What is wrong there is of no network or instance. */
const CLUSTER = { project: "", network: "" };

function isForNobody(key: string, { server, members }: Pick<Snapshot, "server" | "members">): boolean {
  const name = key.startsWith(`${DRAIN_KEY}.`) ? key.slice(DRAIN_KEY.length + 1) : undefined;
  return name !== undefined && name !== server && !members.some(({ server_name }) => server_name === name);
}

interface ServerOrders {
  /** The time by the prefix's text, or {@link WHOLE}. */
  readonly orders: Map<string, string>;
  /** What is no such thing, as it is written. */
  readonly unread: readonly string[];
}

/** What one server was ordered to drain. `true` is as good as the whole, as it is on an instance. */
function readServerOrders(value: string | undefined): ServerOrders {
  const orders = new Map<string, string>();
  const unread: string[] = [];
  for (const item of (value ?? "").split(",").map((text) => text.trim())) {
    const [what = "", since = ""] = item.split(" ");
    if (what === WHOLE || what === "true") orders.set(WHOLE, since);
    else if (Prefix.tryParse(what) !== undefined) orders.set(what, since);
    else if (!isNone(item)) unread.push(item);
  }
  return { orders, unread };
}

/** What a server is ordered to drain, as people write targets. */
export function orderedOf(notes: Config | undefined, server: string): string[] {
  return [...readServerOrders(notes?.[serverKey(server)]).orders.keys()].map((what) =>
    what === WHOLE ? server : what,
  );
}

/**
 * The value of the server's key with a target added or taken out.
 *
 * @param since when it was ordered, ISO 8601; nothing takes it out
 * @returns nothing when the value is so already
 */
export function changeServerOrders(
  notes: Config | undefined,
  server: string,
  target: Exclude<DrainTarget, { kind: "instance" }>,
  since: string | undefined,
): string | undefined {
  const { orders, unread } = readServerOrders(notes?.[serverKey(server)]);
  const what = target.kind === "server" ? WHOLE : target.prefix.toString();
  if (orders.has(what) === (since !== undefined)) return undefined;
  if (since === undefined) orders.delete(what);
  else orders.set(what, since);
  // What is not understood is somebody's, and shown as a problem.
  return [...[...orders].map(([one, at]) => `${one} ${at}`.trim()), ...unread].join(", ");
}

function sinceOf(text: string): { since?: number } {
  const since = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(since) ? {} : { since };
}

/** Whether a candidate is a target's. */
export function isOf({ prefix, source }: Candidate, target: DrainTarget): boolean {
  if (target.kind === "server") return true;
  if (target.kind === "prefix") return target.prefix.contains(prefix);
  return source.instance === target.name && source.project === target.project;
}
