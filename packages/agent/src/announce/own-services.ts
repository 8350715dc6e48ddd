import type { Prefix } from "@trivet/ip";
import type { Candidate } from "./candidate.ts";
import type { Filters } from "./filters.ts";

/** An anycast address that the agent itself answers on, whatever LXD knows. */
export interface OwnService {
  readonly prefix: Prefix;
  /** Why it is not to be announced now, if so. */
  readonly silent?: string;
}

/** The agent's own services as candidates: this server is their next hop, and `allow` must contain them like all others. */
export function findOwnServices(services: readonly OwnService[], filters: Filters): Candidate[] {
  return services.map(({ prefix, silent }) => {
    const refusal =
      filters.allow(prefix) ?? (silent === undefined ? undefined : { code: "silent" as const, why: silent });
    return {
      prefix,
      source: { kind: "dns-service", project: "", network: "" },
      nextHop: { origin: "self" },
      ...(refusal === undefined ? {} : { refusal }),
    };
  });
}
