import { Address, type Prefix } from "@trivet/ip";
import type { Name } from "../wire/name.ts";
import type { TsigKey } from "../tsig/key.ts";

/** Who may transfer which zones. Conditions that are given must all hold; a rule without any allows everybody everything. */
export interface TransferRule {
  /** These zones only. */
  readonly zones?: readonly Name[];
  /** Clients in these prefixes only. */
  readonly from?: readonly Prefix[];
  /** Queries signed with this key only. */
  readonly key?: Name;
}

/**
 * @param client its address, 4 or 16 octets
 * @param key the query was signed with
 */
export function mayTransfer(
  rules: readonly TransferRule[],
  zone: Name,
  client: Uint8Array,
  key: TsigKey | undefined,
): boolean {
  const address = Address.fromBytes(client);
  return rules.some(
    (rule) =>
      (rule.zones?.some((name) => name.equals(zone)) ?? true) &&
      (rule.from?.some((prefix) => prefix.contains(address)) ?? true) &&
      (rule.key === undefined || key?.name.equals(rule.key) === true),
  );
}
