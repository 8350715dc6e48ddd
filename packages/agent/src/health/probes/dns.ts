import { FLAG, RCODE, TYPE, query, rcodeText, typeText } from "@trivet/dns";
import type { Outcome } from "../state.ts";
import type { DnsTarget } from "../target.ts";

/**
 * Passes with NOERROR and at least one record of the type, at the name or where CNAMEs lead. Asks for recursion, so that resolvers can be
 * checked too.
 */
export async function probeDns({ name, type, port }: DnsTarget, address: string, timeout: number): Promise<Outcome> {
  const { rcode, answers } = await query(name, type, { address, port, timeout, flags: FLAG.RD });
  if (rcode !== RCODE.NOERROR) return { kind: "failed", why: `answered ${rcodeText(rcode)}` };
  if (answers.some((record) => type === TYPE.ANY || record.type === type)) return { kind: "passed" };
  return { kind: "failed", why: `answered without a record of ${name.toString()} ${typeText(type)}` };
}
