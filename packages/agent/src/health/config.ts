import type { AgentConfig } from "../config/schema.ts";
import type { WrittenCheck } from "./keys.ts";
import { parseTarget } from "./target.ts";
import type { Timers } from "./timers.ts";

/** What the configuration says of checks. */
export interface HealthConfig {
  /** Unless a check says otherwise. */
  readonly timers: Timers;
  readonly checks: readonly GroupCheck[];
}

/** A check of every instance that a pattern matches. */
interface GroupCheck extends WrittenCheck {
  /** Of PROJECT/NAME. */
  readonly instances: readonly RegExp[];
  readonly timers: Partial<Timers>;
}

export function healthConfig({ health: { checks, ...timers } }: AgentConfig): HealthConfig {
  return {
    timers: milliseconds(timers) as Timers,
    checks: checks.map(({ name, instances, check, ...own }) => ({
      name,
      text: check,
      target: parseTarget(check),
      instances: instances.map(glob),
      timers: milliseconds(own),
    })),
  };
}

type Written = { readonly [K in keyof Timers]?: number | undefined };

/** The file has seconds, timers are whole milliseconds; what is absent stays absent. */
function milliseconds({ interval, fast, timeout, rise, fall }: Written): Partial<Timers> {
  const times = Object.entries({ interval, fast, timeout }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, Math.round(value * 1_000)]],
  );
  const counts = Object.entries({ rise, fall }).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...times, ...counts]) as Partial<Timers>;
}

/** `*` stands for any characters but a slash. */
function glob(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join("[^/]*")}$`);
}
