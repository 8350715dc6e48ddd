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
export function readOrders(snapshot: Pick<Snapshot, "server" | "clustered" | "instances" | "notes">): Orders {
  const problems: Problem[] = [];
  const orders = [...readServerOrders(snapshot.notes, snapshot.server)].map(([text, since]): Order => {
    const prefix = text === WHOLE ? undefined : Prefix.parse(text);
    return {
      key: text,
      target: prefix === undefined ? { kind: "server" } : { kind: "prefix", prefix },
      ...sinceOf(since),
    };
  });
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
  return readServerOrders(notes, server).has(WHOLE);
}

/** The whole server, where a prefix could stand. */
const WHOLE = "*";

/** What one server was ordered to drain: the time by the prefix's text, or {@link WHOLE}. What is no such thing is left out. */
function readServerOrders(notes: Config | undefined, server: string): Map<string, string> {
  const orders = new Map<string, string>();
  for (const order of (notes?.[serverKey(server)] ?? "").split(",")) {
    const [what = "", since = ""] = order.trim().split(" ");
    if (what === WHOLE || Prefix.tryParse(what) !== undefined) orders.set(what, since);
  }
  return orders;
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
  const orders = readServerOrders(notes, server);
  const what = target.kind === "server" ? WHOLE : target.prefix.toString();
  if (orders.has(what) === (since !== undefined)) return undefined;
  if (since === undefined) orders.delete(what);
  else orders.set(what, since);
  return [...orders].map(([one, at]) => `${one} ${at}`).join(", ");
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
