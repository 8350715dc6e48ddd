import type { AnnouncedRoute } from "./announce.ts";

type Routes = ReadonlyMap<string, AnnouncedRoute>;

export interface RouteDiff {
  /** New, or with another next hop or other attributes. */
  readonly announced: readonly AnnouncedRoute[];
  readonly withdrawn: readonly AnnouncedRoute[];
}

/** What changed for the routers. */
export function diffRoutes(before: Routes, after: Routes): RouteDiff {
  return {
    announced: [...after].filter(([key, route]) => !sameRoute(before.get(key), route)).map(([, route]) => route),
    withdrawn: [...before].filter(([key]) => !after.has(key)).map(([, route]) => route),
  };
}

/** Equal attributes are one object: the announcer sees to that. */
function sameRoute(a: AnnouncedRoute | undefined, b: AnnouncedRoute): boolean {
  return (
    a === b || (a !== undefined && a.attributes === b.attributes && a.nextHop?.toString() === b.nextHop?.toString())
  );
}
