import { Address, AddressError, type Family, Prefix, parseScoped } from "@trivet/ip";
import { MD5_KEY_LENGTH } from "@trivet/sockopt";
import {
  type ListenOptions,
  OptionsError,
  type PeerOptions,
  type RangeOptions,
  type SessionOptions,
  type SpeakerOptions,
} from "./options.ts";
import { ROLES } from "./wire/index.ts";

const BGP_PORT = 179;

/** Options of one session, checked, with what was not told filled in. */
export interface ResolvedPeer extends SessionOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly families: readonly Family[];
  readonly holdTime: number;
  readonly connectRetry: number;
  readonly passive: boolean;
  readonly localAddress?: string;
  readonly restartTime?: number;
  readonly dynamic: boolean;
}

export interface ResolvedRange {
  readonly prefix: Prefix;
  readonly limit: number;
  readonly options: RangeOptions;
}

export interface ResolvedSpeaker {
  readonly asn: number;
  readonly routerId: Address;
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  readonly restarting: boolean;
  readonly forwardingKept: boolean;
  readonly holdEndOfRib: boolean;
}

/** @throws OptionsError */
export function resolveSpeaker(options: SpeakerOptions): ResolvedSpeaker {
  wholeNumber("asn", options.asn, 1, 0xffff_ffff);
  const routerId = parse("routerId", options.routerId, (text) => Address.parse(text));
  if (routerId.family !== 4 || routerId.isUnspecified)
    throw new OptionsError("routerId", `is ${options.routerId}; write it as an IPv4 address other than 0.0.0.0`);
  return {
    asn: options.asn,
    routerId,
    listen: (options.listen ?? []).map((listen, i) => resolveListen(`listen[${i}]`, listen)),
    restarting: options.restarting ?? false,
    forwardingKept: options.forwardingKept ?? true,
    holdEndOfRib: options.holdEndOfRib ?? false,
  };
}

/**
 * Whether a speaker can run with these options, on a machine that has all that they ask for.
 *
 * @throws OptionsError
 */
export function checkOptions(options: SpeakerOptions): void {
  resolveSpeaker(options);
  resolvePeers(options.peers ?? [], undefined);
  resolveRanges(options.ranges ?? [], undefined);
}

/**
 * @param protection why passwords and TTL security cannot be had here, if so
 * @throws OptionsError
 */
export function resolvePeers(peers: readonly PeerOptions[], protection: string | undefined): ResolvedPeer[] {
  const names = new Map<string, string>();
  const addresses = new Map<string, string>();
  const passwords = new Map<string, { readonly path: string; readonly password: string | undefined }>();
  return peers.map((options, i) => {
    const path = `peers[${i}]`;
    const address = canonical(`${path}.address`, options.address);
    const peer: ResolvedPeer = {
      ...resolveSession(path, options, protection),
      ...options,
      name: options.name ?? address,
      address,
      port: options.port ?? BGP_PORT,
      connectRetry: options.connectRetry ?? 5,
      passive: options.passive ?? false,
      dynamic: false,
    };
    wholeNumber(`${path}.port`, peer.port, 1, 65535);
    if (!(peer.connectRetry > 0)) throw new OptionsError(`${path}.connectRetry`, "must be more than 0 seconds");
    unique(names, peer.name, `${path}.name`, path);
    unique(addresses, address, `${path}.address`, path);
    onePassword(passwords, peer, path);
    if (options.localAddress === undefined) return peer;
    return { ...peer, localAddress: canonical(`${path}.localAddress`, options.localAddress) };
  });
}

/** @throws OptionsError */
export function resolveRanges(ranges: readonly RangeOptions[], protection: string | undefined): ResolvedRange[] {
  return ranges.map((options, i) => {
    const path = `ranges[${i}]`;
    resolveSession(path, options, protection);
    const limit = options.limit ?? 100;
    wholeNumber(`${path}.limit`, limit, 1, 10_000);
    return { prefix: parse(`${path}.prefix`, options.prefix, (text) => Prefix.parse(text)), limit, options };
  });
}

/** The peer that a member of a range is. */
export function memberOf({ options }: ResolvedRange, address: string, port: number): ResolvedPeer {
  const { prefix: _, limit: __, ...session } = options;
  return {
    ...session,
    ...resolveSession("range", options, undefined),
    name: address,
    address,
    port,
    connectRetry: 5,
    passive: true,
    dynamic: true,
  };
}

function resolveSession(
  path: string,
  options: SessionOptions,
  protection: string | undefined,
): Pick<ResolvedPeer, "asn" | "families" | "holdTime" | "restartTime"> {
  const { asn, families = [4, 6], holdTime = 90, gracefulRestart, maxPrefix, role, ttlSecurity, password } = options;
  wholeNumber(`${path}.asn`, asn, 1, 0xffff_ffff);
  wholeNumber(`${path}.holdTime`, holdTime, 0, 65535);
  if (holdTime === 1 || holdTime === 2)
    throw new OptionsError(`${path}.holdTime`, `is ${holdTime}; it must be 0 (never) or at least 3 seconds`);
  if (families.length === 0 || families.some((family) => family !== 4 && family !== 6))
    throw new OptionsError(`${path}.families`, "must name 4, 6 or both");
  if (maxPrefix !== undefined) wholeNumber(`${path}.maxPrefix`, maxPrefix, 1, 0xffff_ffff);
  if (role !== undefined && !ROLES.includes(role))
    throw new OptionsError(`${path}.role`, `is ${role}; it must be one of ${ROLES.join(", ")}`);
  if (ttlSecurity !== undefined) wholeNumber(`${path}.ttlSecurity`, ttlSecurity, 1, 254);
  if (password === "") throw new OptionsError(`${path}.password`, "is empty; leave it out for none");
  const octets = Buffer.byteLength(password ?? "");
  if (octets > MD5_KEY_LENGTH)
    throw new OptionsError(`${path}.password`, `has ${octets} octets in UTF-8; it may have at most ${MD5_KEY_LENGTH}`);
  if ((ttlSecurity !== undefined || password !== undefined) && protection !== undefined)
    throw new OptionsError(
      `${path}.${password === undefined ? "ttlSecurity" : "password"}`,
      `cannot be used: ${protection}`,
    );
  const restartTime = gracefulRestart && (gracefulRestart.restartTime ?? 30);
  if (restartTime === undefined) return { asn, families: [...new Set(families)], holdTime };
  wholeNumber(`${path}.gracefulRestart.restartTime`, restartTime, 0, 4095);
  return { asn, families: [...new Set(families)], holdTime, restartTime };
}

function resolveListen(path: string, { address, port = BGP_PORT }: ListenOptions): { address: string; port: number } {
  wholeNumber(`${path}.port`, port, 0, 65535);
  return { address: canonical(`${path}.address`, address), port };
}

function canonical(path: string, text: string): string {
  const { address, zone } = parse(path, text, parseScoped);
  return zone === undefined ? address.toString() : `${address.toString()}%${zone}`;
}

function parse<T>(path: string, text: string, parser: (text: string) => T): T {
  try {
    return parser(text);
  } catch (error) {
    if (error instanceof AddressError) throw new OptionsError(path, `is wrong: ${error.message}`);
    throw error;
  }
}

function wholeNumber(path: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new OptionsError(path, `is ${value}; it must be a whole number from ${least} to ${most}`);
}

/** The kernel knows keys by address alone, without the interface of a link-local one. */
function onePassword(
  seen: Map<string, { readonly path: string; readonly password: string | undefined }>,
  { address, password }: ResolvedPeer,
  path: string,
): void {
  const [bare = ""] = address.split("%");
  const first = seen.get(bare);
  if (first !== undefined && first.password !== password)
    throw new OptionsError(
      `${path}.password`,
      `must be that of ${first.path}, or both must have none: both are ${bare}, on different interfaces`,
    );
  seen.set(bare, { path, password });
}

function unique(seen: Map<string, string>, value: string, path: string, owner: string): void {
  const first = seen.get(value);
  if (first !== undefined) throw new OptionsError(path, `is ${value}, as that of ${first}; it must be unique`);
  seen.set(value, owner);
}
