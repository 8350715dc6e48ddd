import type { Address, Family } from "@trivet/ip";
import { WireError } from "../error.ts";
import type { Negotiated } from "../session-info.ts";
import {
  type Capability,
  ErrorCode,
  OpenError,
  type OpenMessage,
  type Role,
  unicast,
  unicastFamily,
} from "../wire/index.ts";

/** What this end says in its OPEN, and demands of the peer's. */
export interface OpenConfig {
  readonly localAsn: number;
  readonly routerId: Address;
  readonly peerAsn: number;
  readonly holdTime: number;
  readonly families: readonly Family[];
  readonly extendedNextHop: boolean;
  /** Absent: no graceful restart. */
  readonly restart?: OpenRestart;
  /** What this speaker is to the peer. */
  readonly role?: Role;
  readonly strictRole: boolean;
}

/** RFC 4724 §3. */
export interface OpenRestart {
  /** Seconds. */
  readonly time: number;
  /** This speaker comes back from a restart. */
  readonly restarting: boolean;
  /** What was announced before still leads to where it led. */
  readonly forwarding: boolean;
}

/** RFC 9234 §4.2, table 2: what the other end of each role must be. */
const COUNTERPART: Readonly<Record<Role, Role>> = {
  provider: "customer",
  customer: "provider",
  rs: "rs-client",
  "rs-client": "rs",
  peer: "peer",
};

/** This end's OPEN. */
export function buildOpen(config: OpenConfig): OpenMessage {
  const { families, restart, role } = config;
  const capabilities: Capability[] = families.map((family) => ({ kind: "multiprotocol", family: unicast(family) }));
  capabilities.push({ kind: "route-refresh" }, { kind: "enhanced-route-refresh" }, { kind: "extended-message" });
  if (config.extendedNextHop)
    capabilities.push({ kind: "extended-next-hop", entries: [{ family: unicast(4), nextHopAfi: 2 }] });
  if (restart !== undefined)
    capabilities.push({
      kind: "graceful-restart",
      restarting: restart.restarting,
      notification: true,
      restartTime: restart.time,
      families: families.map((family) => ({ family: unicast(family), forwarding: restart.forwarding })),
    });
  capabilities.push({ kind: "four-octet-as", asn: config.localAsn });
  if (role !== undefined) capabilities.push({ kind: "role", role });
  return { kind: "open", asn: config.localAsn, holdTime: config.holdTime, identifier: config.routerId, capabilities };
}

/**
 * Checks the peer's OPEN (RFC 4271 §6.2) and works out what holds for the session.
 *
 * @throws WireError the NOTIFICATION to answer with
 */
export function negotiate(config: OpenConfig, open: OpenMessage): Negotiated {
  checkOpen(config, open);
  const { capabilities } = open;
  const has = (kind: Capability["kind"]): boolean => capabilities.some((capability) => capability.kind === kind);
  const families = commonFamilies(config, capabilities);
  const restart = capabilities.findLast((capability) => capability.kind === "graceful-restart");
  const role = checkRole(config, capabilities);
  const peerExtendedNextHop = capabilities.some(
    (capability) =>
      capability.kind === "extended-next-hop" &&
      capability.entries.some((entry) => unicastFamily(entry.family) === 4 && entry.nextHopAfi === 2),
  );
  const holdTime = Math.min(config.holdTime, open.holdTime);
  return {
    asn: open.asn,
    routerId: open.identifier.toString(),
    holdTime,
    // RFC 4271 §4.4: a third of the hold time, and at most one a second.
    keepalive: holdTime === 0 ? 0 : Math.max(1, Math.floor(holdTime / 3)),
    families,
    fourOctetAs: has("four-octet-as"),
    extendedNextHop: config.extendedNextHop && peerExtendedNextHop,
    peerExtendedNextHop,
    extendedMessage: has("extended-message"),
    routeRefresh: has("route-refresh"),
    enhancedRefresh: has("enhanced-route-refresh"),
    gracefulNotification: config.restart !== undefined && restart?.notification === true,
    ...(restart === undefined
      ? {}
      : {
          peerRestart: {
            restarting: restart.restarting,
            restartTime: restart.restartTime,
            families: restart.families
              .map(({ family }) => unicastFamily(family))
              .filter((family) => family !== undefined),
          },
        }),
    ...(role === undefined ? {} : { role }),
  };
}

function checkOpen(config: OpenConfig, open: OpenMessage): void {
  const { localAsn, peerAsn, routerId } = config;
  if (open.asn === 0 || open.asn !== peerAsn)
    throw refusal(OpenError.BadPeerAs, `the peer says it is AS ${open.asn}, AS ${peerAsn} is configured`);
  if (open.identifier.isUnspecified) throw refusal(OpenError.BadIdentifier, "the peer's BGP identifier is 0.0.0.0");
  // RFC 6286 §2.2: between ASes the same identifier is allowed.
  if (open.identifier.equals(routerId) && localAsn === peerAsn)
    throw refusal(OpenError.BadIdentifier, `the peer's BGP identifier ${routerId.toString()} is this speaker's own`);
  if (open.holdTime === 1 || open.holdTime === 2)
    throw refusal(OpenError.UnacceptableHoldTime, `the peer's hold time of ${open.holdTime} s is under 3 s`);
}

function commonFamilies(config: OpenConfig, capabilities: readonly Capability[]): Family[] {
  const offered = capabilities
    .filter((capability) => capability.kind === "multiprotocol")
    .map((capability) => unicastFamily(capability.family));
  // RFC 4760 §8: without the capability a speaker exchanges IPv4 unicast.
  const theirs = capabilities.some(({ kind }) => kind === "multiprotocol") ? offered : [4];
  const common = config.families.filter((family) => theirs.includes(family));
  if (common.length > 0) return common;
  // RFC 5492 §5: the data names the capabilities that were missed.
  const missed = config.families.flatMap((family) => [1, 4, 0, family === 4 ? 1 : 2, 0, 1]);
  const names = config.families.map((family) => `IPv${family}`).join(" or ");
  throw refusal(OpenError.UnsupportedCapability, `the peer does not exchange ${names} routes`, Uint8Array.from(missed));
}

function checkRole({ role, strictRole }: OpenConfig, capabilities: readonly Capability[]): Role | undefined {
  const theirs = new Set(
    capabilities.filter((capability) => capability.kind === "role").map((capability) => capability.role),
  );
  if (theirs.size > 1) throw refusal(OpenError.RoleMismatch, `the peer names several roles: ${[...theirs].join(", ")}`);
  const [peer] = theirs;
  if (role === undefined) return peer;
  if (peer === undefined) {
    if (strictRole) throw refusal(OpenError.RoleMismatch, `the peer names no role, ${COUNTERPART[role]} is demanded`);
    return undefined;
  }
  if (peer !== COUNTERPART[role])
    throw refusal(
      OpenError.RoleMismatch,
      `the peer's role is ${peer}, ${COUNTERPART[role]} belongs to this end's ${role}`,
    );
  return peer;
}

function refusal(subcode: number, reason: string, data?: Uint8Array): WireError {
  return new WireError(ErrorCode.Open, subcode, reason, data);
}
