import { type Instance, type LxdClient, LxdError } from "@trivet/lxd";
import { Announcer } from "../announce/announce.ts";
import type { AnnounceConfig } from "../announce/config.ts";
import { type Snapshot, keyOf } from "../inventory/snapshot.ts";
import { DRAIN_KEY, changeServerOrders, isNone, isOf, isOrder, orderedOf, serverKey } from "./orders.ts";
import { type Drainable, DrainTargetError } from "./target.ts";

/** Milliseconds for LXD to store an order; who gave it waits longer than that. */
const PATIENCE = 15_000;

/** What became of an order. */
export interface Ordered {
  /** False when LXD had it so already. */
  readonly changed: boolean;
  /** What else the server is ordered to drain. */
  readonly left: readonly string[];
}

/**
 * Writes into LXD that something is to be drained, or no longer; the agent of its server carries it out. What stands there already
 * stays, with its time.
 *
 * @throws LxdError when LXD does not store it
 * @throws DrainTargetError when an order that is to be taken back stands in a profile
 */
export async function order(lxd: LxdClient, { server, target }: Drainable, drain: boolean): Promise<Ordered> {
  const since = drain ? new Date().toISOString() : undefined;
  if (target.kind === "instance") return await orderInstance(lxd, target, since);
  const key = serverKey(server);
  // Others may write it in the same moment, and LXD has no way to tell; what they overwrote is written again.
  for (let tries = 1; ; tries++) {
    const { config } = await lxd.server();
    const value = changeServerOrders(config, server, target, since);
    if (value === undefined) return { changed: tries > 1, left: orderedOf(config, server) };
    if (tries > TRIES) throw new LostOrderError(`LXD stores ${key} and forgets it: others write it all the time`);
    try {
      await lxd.configure({ [key]: value }, { timeout: PATIENCE });
    } catch (error) {
      // LXD stores it first and then tells its other servers; one that has just died makes that fail.
      if (!(error instanceof LxdError) || ((await lxd.server()).config?.[key] ?? "") !== value) throw error;
    }
  }
}

async function orderInstance(
  lxd: LxdClient,
  { project, name }: Extract<Drainable["target"], { kind: "instance" }>,
  since: string | undefined,
): Promise<Ordered> {
  const isSo = (value: string | undefined): boolean => (since === undefined ? isNone(value) : isOrder(value));
  const read = async (): Promise<Instance> => await lxd.instances.get(name, { project });
  const { config, expanded_config } = await read();
  if (isSo(expanded_config[DRAIN_KEY])) return { changed: false, left: [] };
  if (!isSo(config[DRAIN_KEY]))
    await lxd.instances.update(name, { config: { [DRAIN_KEY]: since ?? "" } }, { project, timeout: PATIENCE });
  if (since !== undefined) return { changed: true, left: [] };
  const after = await read();
  if (!isNone(after.expanded_config[DRAIN_KEY]))
    throw new DrainTargetError(
      `${project}/${name} is drained by ${DRAIN_KEY} of a profile (${after.profiles.join(", ")}); unset it there`,
    );
  return { changed: true, left: [] };
}

/** An order that others overwrote each time. */
class LostOrderError extends Error {
  override readonly name = "LostOrderError";
  readonly fault = "world";
}

const TRIES = 5;

/** Whether a Snapshot knows the order already. */
export function isOrdered({ notes, instances }: Snapshot, { server, target }: Drainable): boolean {
  if (target.kind === "instance") return isOrder(instances.get(keyOf(target))?.expanded_config[DRAIN_KEY]);
  return changeServerOrders(notes, server, target, "now") === undefined;
}

/** What a target has announced, by what LXD says: every server's agent can work out every other's. */
export function prefixesOf(snapshot: Snapshot, config: AnnounceConfig, { server, target }: Drainable): string[] {
  const { routes } = new Announcer(config).announce({ ...snapshot, server });
  return [...routes].filter(([, { reasons }]) => reasons.every((one) => isOf(one, target))).map(([text]) => text);
}
