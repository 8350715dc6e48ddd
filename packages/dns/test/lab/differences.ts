import type { Answer } from "./ask.ts";

/** A known difference from another server. */
export interface KnownDifference {
  readonly servers: readonly ("nsd" | "knot" | "bind")[];
  /** Name and type. */
  readonly question: RegExp;
  readonly explains: (ours: Answer, theirs: Answer) => boolean;
  readonly why: string;
}

/** NSD 4.6 and Knot 3.2 give the same answers as we do; BIND 9.18 differs in three ways. */
export const DIFFERENCES: readonly KnownDifference[] = [
  {
    servers: ["bind"],
    question: /^(nope\.)?loop[12]\.example\.org\. /i,
    explains: (ours, theirs) => ours.rcode === 0 && theirs.rcode === 2 && equal(ours.answer, theirs.answer),
    why: "A circle of CNAMEs: BIND says SERVFAIL beside the same records. The records are in order, the circle is the client's to see.",
  },
  {
    servers: ["bind"],
    question: / SOA$/,
    explains: (ours, theirs) =>
      ours.authority.length === 1 &&
      equal(
        ours.authority.map((line) => line.replace(/ \d+ in soa /, " 0 in soa ")),
        theirs.authority,
      ),
    why: "A question for SOA: BIND gives negative answers the TTL 0 (its zero-no-soa-ttl), for others we all follow RFC 2308.",
  },
  {
    servers: ["bind"],
    question: /./,
    explains: (ours, theirs) =>
      equal(ours.authority, theirs.authority) &&
      theirs.additional.length < ours.additional.length &&
      theirs.additional.every((line) => ours.additional.includes(line)) &&
      ours.additional
        .filter((line) => !theirs.additional.includes(line))
        .every((line) => !line.includes(".sub.example.org.")),
    why: "A referral: with minimal-responses BIND leaves out addresses of name servers outside the delegation. They are no glue that is needed, and save a query.",
  },
];

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
