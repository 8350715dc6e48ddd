import type { AddressFamily } from "./family.ts";

/** RFC 9234 §4.1, in the order of their codes: what the sender is to the receiver. */
export const ROLES = ["provider", "rs", "rs-client", "customer", "peer"] as const;
export type Role = (typeof ROLES)[number];

/** RFC 4724 §3: a family whose routes the sender can keep over a restart, and whether its forwarding state survived this one. */
export interface RestartFamily {
  readonly family: AddressFamily;
  readonly forwarding: boolean;
}

/** What a speaker can do (RFC 5492). One that is malformed or not known here is `unknown`, with its octets. */
export type Capability =
  | { readonly kind: "multiprotocol"; readonly family: AddressFamily }
  | { readonly kind: "route-refresh" }
  | {
      /** RFC 8950 §4: routes of `family` may have a next hop of AFI `nextHopAfi`. */
      readonly kind: "extended-next-hop";
      readonly entries: readonly { readonly family: AddressFamily; readonly nextHopAfi: number }[];
    }
  | { readonly kind: "extended-message" }
  | { readonly kind: "role"; readonly role: Role }
  | {
      /** RFC 4724 §3; `notification` is the N bit of RFC 8538 §2. */
      readonly kind: "graceful-restart";
      readonly restarting: boolean;
      readonly notification: boolean;
      /** Seconds, 0 to 4095. */
      readonly restartTime: number;
      readonly families: readonly RestartFamily[];
    }
  | { readonly kind: "four-octet-as"; readonly asn: number }
  | { readonly kind: "enhanced-route-refresh" }
  | { readonly kind: "fqdn"; readonly hostname: string; readonly domain: string }
  | { readonly kind: "unknown"; readonly code: number; readonly value: Uint8Array };
