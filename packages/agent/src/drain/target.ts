import { Address, AddressError, Prefix } from "@trivet/ip";
import type { Snapshot } from "../inventory/snapshot.ts";
import { keyOf } from "../inventory/snapshot.ts";

/** What is drained of a server: all it announces, what one instance has, or what lies in one prefix. */
export type DrainTarget =
  | { readonly kind: "server" }
  | { readonly kind: "instance"; readonly project: string; readonly name: string }
  | { readonly kind: "prefix"; readonly prefix: Prefix };

/** A target and the server on which it is one. */
export interface Drainable {
  readonly server: string;
  readonly target: DrainTarget;
}

/** Something was to be drained that does not exist. */
export class DrainTargetError extends Error {
  override readonly name = "DrainTargetError";
  readonly fault = "input";
}

/** Whether a prefix, as text, lies in a drained one. */
export function isIn(prefix: string, target: Extract<DrainTarget, { kind: "prefix" }>): boolean {
  return target.prefix.contains(Prefix.parse(prefix));
}

/**
 * Understands `SERVER`, `PROJECT/INSTANCE` and `PREFIX` (an address stands for itself alone).
 *
 * @param text nothing: the server itself
 * @param on the server on which a prefix is drained; the Snapshot's own unless told. Only for a prefix
 * @throws DrainTargetError when there is no such thing
 */
export function findTarget(snapshot: Snapshot, text: string | undefined, on?: string): Drainable {
  const servers = snapshot.clustered ? snapshot.members.map(({ server_name }) => server_name) : [snapshot.server];
  if (on !== undefined && !servers.includes(on))
    throw new DrainTargetError(`no server ${on}; there are ${servers.join(", ")}`);
  const prefix = text === undefined ? undefined : readPrefix(text);
  if (prefix !== undefined) return { server: on ?? snapshot.server, target: { kind: "prefix", prefix } };
  if (text === undefined) return { server: on ?? snapshot.server, target: { kind: "server" } };
  if (on !== undefined)
    throw new DrainTargetError(
      `${text} is no prefix, and only a prefix is drained on a server of choice; leave --server out`,
    );
  const [project = "", name, ...rest] = text.split("/");
  if (name === undefined) {
    if (servers.includes(text)) return { server: text, target: { kind: "server" } };
    throw new DrainTargetError(`no server "${text}"; there are ${servers.join(", ")}; an instance is PROJECT/INSTANCE`);
  }
  if (rest.length > 0) throw new DrainTargetError(`${text} is no PROJECT/INSTANCE: it has more than one /`);
  const instance = snapshot.instances.get(keyOf({ project, name }));
  if (instance === undefined) throw new DrainTargetError(`no instance "${name}" in project "${project}"`);
  const server = snapshot.clustered ? instance.location : snapshot.server;
  return { server, target: { kind: "instance", project, name } };
}

/** As {@link findTarget} reads it. */
export function formatTarget({ server, target }: Drainable): string {
  if (target.kind === "server") return server;
  return target.kind === "prefix" ? target.prefix.toString() : `${target.project}/${target.name}`;
}

/** @throws DrainTargetError for what is an address with a wrong length */
function readPrefix(text: string): Prefix | undefined {
  const address = Address.tryParse(text);
  if (address !== undefined) return Prefix.host(address);
  if (Address.tryParse(text.split("/")[0] ?? "") === undefined) return undefined;
  try {
    return Prefix.parse(text);
  } catch (error) {
    if (error instanceof AddressError) throw new DrainTargetError(error.message);
    throw error;
  }
}
