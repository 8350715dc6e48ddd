import type { Address } from "@trivet/ip";
import { EncodeError } from "../error.ts";
import {
  type AttributeBlock,
  type PathAttributes,
  WELL_KNOWN_COMMUNITIES,
  type WireContext,
  encodeAttributes,
} from "../wire/index.ts";
import type { AttributeSet } from "./attribute-sets.ts";

/** All that decides how a route looks to a peer: peers with equal profiles are sent the same octets. */
export interface Profile {
  readonly context: WireContext;
  readonly localAsn: number;
  /** The local address of the session: the next hop of routes that have none of their own. */
  readonly self: Address;
  /** Tells the peer that the paths are about to go (RFC 8326). */
  readonly draining: boolean;
  /** Adds the attribute OTC with the local AS: the peer must not pass the routes up (RFC 9234 §5). */
  readonly onlyToCustomer: boolean;
}

/** What a peer is told of an attribute set. */
export interface Rendered {
  readonly nextHop: Address;
  readonly attributes: PathAttributes;
  readonly block: AttributeBlock;
  /** Equal exactly when the octets are. */
  readonly key: string;
}

const DEFAULT_LOCAL_PREF = 100;

export function profileKey({ context, localAsn, self, draining, onlyToCustomer }: Profile): string {
  // The families do not matter: each peer is only given the messages of its own.
  const { peering, fourOctetAs, extendedNextHop, maxSend } = context;
  return [peering, fourOctetAs, extendedNextHop, maxSend, localAsn, self, draining, onlyToCustomer].join(" ");
}

/**
 * @returns undefined when such a route cannot be told to such a peer: IPv4 with an IPv6 next hop needs RFC 8950, IPv6 an IPv6 one, and
 * the attributes must fit one message
 */
export function render(set: AttributeSet, profile: Profile): Rendered | undefined {
  const nextHop = set.nextHop ?? profile.self;
  const { context } = profile;
  if (nextHop.family !== set.family && !(set.family === 4 && context.extendedNextHop)) return undefined;
  const attributes = pathAttributes(set, profile);
  const block = encode(attributes, nextHop, set.family, context);
  if (block === undefined || LARGEST_REST + block.attributes.length > context.maxSend) return undefined;
  const text = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString("latin1") : "");
  return {
    nextHop,
    attributes,
    block,
    key: `${set.family}${text(block.mpNextHop)}|${text(block.attributes)}`,
  };
}

/** Header, the two lengths, MP_REACH_NLRI with the longest next hop and one IPv6 prefix. */
const LARGEST_REST = 19 + 4 + 9 + 32 + 17;

/** Undefined when the attributes do not even fit their fields: one route that cannot be told keeps no other from being told. */
function encode(
  attributes: PathAttributes,
  address: Address,
  family: AttributeSet["family"],
  context: WireContext,
): AttributeBlock | undefined {
  try {
    return encodeAttributes(attributes, { address }, family, context);
  } catch (error) {
    if (error instanceof EncodeError) return undefined;
    throw error;
  }
}

function pathAttributes({ attributes: a }: AttributeSet, profile: Profile): PathAttributes {
  const external = profile.context.peering === "external";
  const local = external ? Array.from({ length: 1 + (a.prepend ?? 0) }, () => profile.localAsn) : [];
  const asns = [...local, ...(a.asPath ?? [])];
  const communities = [...(a.communities ?? [])];
  const shutdown = WELL_KNOWN_COMMUNITIES["graceful-shutdown"];
  if (profile.draining && !communities.includes(shutdown)) communities.push(shutdown);
  return {
    origin: a.origin ?? "igp",
    asPath: asns.length === 0 ? [] : [{ kind: "sequence", asns }],
    ...(a.med === undefined ? {} : { med: a.med }),
    ...(external ? {} : { localPref: profile.draining ? 0 : (a.localPref ?? DEFAULT_LOCAL_PREF) }),
    ...(a.atomicAggregate === true ? { atomicAggregate: true } : {}),
    ...(a.aggregator === undefined ? {} : { aggregator: a.aggregator }),
    ...(communities.length === 0 ? {} : { communities }),
    ...(a.extendedCommunities === undefined ? {} : { extendedCommunities: a.extendedCommunities }),
    ...(a.largeCommunities === undefined ? {} : { largeCommunities: a.largeCommunities }),
    ...(profile.onlyToCustomer ? { onlyToCustomer: profile.localAsn } : {}),
    ...(a.unknown === undefined ? {} : { unknown: a.unknown }),
  };
}
