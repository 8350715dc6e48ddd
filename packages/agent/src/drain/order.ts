import { type LxdClient, LxdError } from "@trivet/lxd";
import { Announcer } from "../announce/announce.ts";
import type { AnnounceConfig } from "../announce/config.ts";
import type { Snapshot } from "../inventory/snapshot.ts";
import { DRAIN_KEY, changeServerOrders, isOf, serverKey } from "./orders.ts";
import type { Drainable } from "./target.ts";

/**
 * Writes into LXD that something is to be drained, or no longer; the agent of its server carries it out. What stands there already
 * stays, with its time.
 *
 * @throws LxdError when LXD does not store it
 */
export async function order(lxd: LxdClient, { server, target }: Drainable, drain: boolean): Promise<void> {
  const since = drain ? new Date().toISOString() : undefined;
  if (target.kind === "instance") {
    const { project, name } = target;
    const { config } = await lxd.instances.get(name, { project });
    const ordered = !["", "false"].includes(config[DRAIN_KEY] ?? "");
    if (ordered !== drain) await lxd.instances.update(name, { config: { [DRAIN_KEY]: since ?? "" } }, { project });
    return;
  }
  const key = serverKey(server);
  const value = changeServerOrders((await lxd.server()).config, server, target, since);
  if (value === undefined) return;
  try {
    await lxd.configure({ [key]: value });
  } catch (error) {
    // LXD stores it first and then tells its other servers; one that has just died makes that fail.
    if (!(error instanceof LxdError) || ((await lxd.server()).config?.[key] ?? "") !== value) throw error;
  }
}

/** What a target has announced, by what LXD says: every server's agent can work out every other's. */
export function prefixesOf(snapshot: Snapshot, config: AnnounceConfig, { server, target }: Drainable): string[] {
  const { routes } = new Announcer(config).announce({ ...snapshot, server });
  return [...routes].filter(([, { reasons }]) => reasons.every((one) => isOf(one, target))).map(([text]) => text);
}
