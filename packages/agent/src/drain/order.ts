import { type LxdClient, LxdError } from "@trivet/lxd";
import { Announcer } from "../announce/announce.ts";
import type { AnnounceConfig } from "../announce/config.ts";
import { type Snapshot, keyOf } from "../inventory/snapshot.ts";
import { DRAIN_KEY, changeServerOrders, isNone, isOf, isOrder, serverKey } from "./orders.ts";
import { type Drainable, DrainTargetError } from "./target.ts";

/** Milliseconds for LXD to store an order; who gave it waits longer than that. */
const PATIENCE = 15_000;

/**
 * Writes into LXD that something is to be drained, or no longer; the agent of its server carries it out. What stands there already
 * stays, with its time.
 *
 * @throws LxdError when LXD does not store it
 * @throws DrainTargetError when an order that is to be taken back stands in a profile
 */
export async function order(lxd: LxdClient, { server, target }: Drainable, drain: boolean): Promise<void> {
  const since = drain ? new Date().toISOString() : undefined;
  if (target.kind === "instance") {
    const { project, name } = target;
    const { config, expanded_config, profiles } = await lxd.instances.get(name, { project });
    const [own, effective] = [config[DRAIN_KEY], expanded_config[DRAIN_KEY]];
    if (drain ? isOrder(effective) : isNone(effective)) return;
    if (!drain && isNone(own))
      throw new DrainTargetError(
        `${project}/${name} is drained by ${DRAIN_KEY} of a profile (${profiles.join(", ")}); unset it there`,
      );
    await lxd.instances.update(name, { config: { [DRAIN_KEY]: since ?? "" } }, { project, timeout: PATIENCE });
    return;
  }
  const key = serverKey(server);
  const value = changeServerOrders((await lxd.server()).config, server, target, since);
  if (value === undefined) return;
  try {
    await lxd.configure({ [key]: value }, { timeout: PATIENCE });
  } catch (error) {
    // LXD stores it first and then tells its other servers; one that has just died makes that fail.
    if (!(error instanceof LxdError) || ((await lxd.server()).config?.[key] ?? "") !== value) throw error;
  }
}

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
