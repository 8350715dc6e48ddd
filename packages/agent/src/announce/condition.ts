import type { RouteAttributes } from "@trivet/bgp";
import type { Candidate, Refusal } from "./candidate.ts";

/** What something other than LXD says of a candidate at this moment. */
export interface Ruling {
  /** It is not announced now. */
  readonly refusal?: Refusal;
  /** It is announced, but with these too, so that routers prefer others: communities are added, the rest replaces its own. */
  readonly attributes?: RouteAttributes;
}

/**
 * A capability's say in what is announced: of its health, of a drain, of the gateway before it. Asked about every candidate that LXD
 * and the configuration would announce, at every announcement; undefined when it has nothing to say. Must be cheap, and must answer the
 * same until the agent is told to reconsider.
 */
export type Condition = (candidate: Candidate) => Ruling | undefined;

/** What conditions say together. */
export interface Verdict extends Ruling {
  /** How much they hold the candidate back: a condition counts for more than all that come after it in the list. */
  readonly weight: number;
}

/** What all conditions say together: the first refusal, or all attributes. */
export function ruling(candidate: Candidate, conditions: readonly Condition[]): Verdict | undefined {
  let attributes: RouteAttributes | undefined;
  let weight = 0;
  for (const condition of conditions) {
    weight *= 2;
    const ruled = condition(candidate);
    if (ruled?.refusal !== undefined) return { ...ruled, weight };
    if (ruled?.attributes === undefined) continue;
    attributes = together(attributes, ruled.attributes);
    weight += 1;
  }
  return attributes && { attributes, weight };
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
