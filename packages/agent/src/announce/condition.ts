import type { RouteAttributes } from "@trivet/bgp";
import type { Candidate, Refusal } from "./candidate.ts";

/** What something other than LXD says of a candidate at this moment. */
export type Ruling = NotNow | HeldBack;

/** It is not announced. */
interface NotNow {
  readonly refusal: Refusal;
}

/** It is announced so that routers prefer others: with these communities added, and the rest in the place of its own. */
interface HeldBack {
  readonly attributes: RouteAttributes;
  /** For people, after "held back: ". */
  readonly why: string;
}

/**
 * A capability's say in what is announced: of its health, of a drain, of the gateway before it. Asked about every candidate that LXD
 * and the configuration would announce, at every announcement; undefined when it has nothing to say. Must be cheap, and must answer the
 * same until the agent is told to reconsider.
 */
export type Condition = (candidate: Candidate) => Ruling | undefined;

/** What conditions say together. */
export interface Verdict {
  readonly refusal?: Refusal;
  readonly attributes?: RouteAttributes;
  /** Why it is held back: what each condition says of that. */
  readonly why: readonly string[];
  /** How much they hold the candidate back: a condition counts for more than all that come after it in the list. */
  readonly weight: number;
}

/** What all conditions say together: the first refusal, or all attributes. */
export function ruling(candidate: Candidate, conditions: readonly Condition[]): Verdict | undefined {
  let attributes: RouteAttributes | undefined;
  const why: string[] = [];
  let weight = 0;
  for (const condition of conditions) {
    weight *= 2;
    const ruled = condition(candidate);
    if (ruled === undefined) continue;
    if ("refusal" in ruled) return { ...ruled, why, weight };
    attributes = together(attributes, ruled.attributes);
    why.push(ruled.why);
    weight += 1;
  }
  return attributes && { attributes, why, weight };
}

/** Attributes with others on top: communities are added, the rest is replaced. */
export function together(below: RouteAttributes | undefined, above: RouteAttributes | undefined): RouteAttributes {
  const communities = union(below?.communities, above?.communities);
  const largeCommunities = union(below?.largeCommunities, above?.largeCommunities);
  return {
    ...below,
    ...above,
    ...(communities === undefined ? {} : { communities }),
    ...(largeCommunities === undefined ? {} : { largeCommunities }),
  };
}

function union<T>(below: readonly T[] | undefined, above: readonly T[] | undefined): readonly T[] | undefined {
  if (below === undefined || above === undefined) return below ?? above;
  return [...below, ...above.filter((one) => !below.includes(one))];
}
