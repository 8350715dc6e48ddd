import type { RouteAttributes } from "@trivet/bgp";
import type { Prefix } from "@trivet/ip";

/** What of a Snapshot is announced. */
export interface AnnounceConfig {
  /** Nothing outside these is ever announced. */
  readonly allow: readonly Prefix[];
  /** Only OVN networks on these uplinks, and NICs directly on them; absent: all networks. */
  readonly uplinks?: readonly string[];
  /** Only networks and instances of these projects; absent: all. */
  readonly projects?: readonly string[];
  /** Announce each running instance's own addresses as host routes, too. */
  readonly addresses: boolean;
  /** What is said of routes; the longest `match` that holds a prefix decides, alone. */
  readonly attributes: readonly AttributeRule[];
}

export interface AttributeRule {
  readonly match: Prefix;
  readonly attributes: RouteAttributes;
}
