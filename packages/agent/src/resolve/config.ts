import type { Name, ResourceRecord } from "@trivet/dns";
import type { Prefix } from "@trivet/ip";

/** What of the configuration decides which zones there are and what is in them. */
export interface ResolveConfig {
  readonly forward: readonly ForwardZone[];
  readonly reverse: readonly ReverseZone[];
  /** NS records of every zone; the first is the SOA record's primary. */
  readonly nameservers: readonly Name[];
  /** The mailbox of who is responsible, as a name: `hostmaster.example.net.` */
  readonly hostmaster: Name;
  /** The zone that lists all others for secondaries (RFC 9432). */
  readonly catalog?: Name;
  /** Seconds; of the records that are derived. */
  readonly ttl: number;
}

/** A zone of names. */
export interface ForwardZone {
  readonly origin: Name;
  /** An instance's name below the origin: see {@link expandTemplate}. */
  readonly template: string;
  /** The instances that have a name here; all unless told. */
  readonly projects?: readonly string[];
  /** Networks, `PROJECT/NAME` or `NAME` of the default project: only addresses on these count; all unless told. */
  readonly networks?: readonly string[];
  /** Which addresses: those on the instance's networks, those routed to it from outside, or both. */
  readonly addresses: "internal" | "external" | "all";
  /** Which names instances may set with `user.dns.*` keys. */
  readonly userRecords: "own-name" | "zone" | "none";
  /** Also names for servers, networks' gateways and their uplink addresses. */
  readonly infrastructure: boolean;
  /** Added as they are. */
  readonly records: readonly ResourceRecord[];
}

/** A zone of PTR records for every address in a prefix. */
export interface ReverseZone {
  readonly prefix: Prefix;
  /** As {@link reverseOrigin} derives it unless told: providers differ in how they delegate less than a /24 (RFC 2317). */
  readonly origin: Name;
}
