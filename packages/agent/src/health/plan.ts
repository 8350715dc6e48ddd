import type { Config } from "@trivet/lxd";
import type { Problem } from "../announce/candidate.ts";
import { type KnownInstance, type Snapshot, keyOf } from "../inventory/snapshot.ts";
import type { HealthConfig } from "./config.ts";
import { DEFAULT_NAME, KEY, type WrittenCheck, readCheckKeys } from "./keys.ts";
import { printable } from "./printable.ts";
import type { Timers } from "./timers.ts";
import { type Nic, type Way, findNics, findWay, isIn } from "./way.ts";

/** One check of one instance, with all that is needed to run it; `exec` goes no way. */
export interface Check extends WrittenCheck, Way {
  /** Equal in every Snapshot for the same check of the same instance, and of no other. */
  readonly id: string;
  readonly project: string;
  readonly instance: string;
  /** Of the instance: another one when it was started again, or made anew under the same name. */
  readonly run: string;
  /** Absent: it is about the whole instance; else about what this NIC has. */
  readonly device?: string;
  readonly timers: Timers;
}

interface Plan {
  readonly checks: readonly Check[];
  readonly problems: readonly Problem[];
}

/** Checks that an instance and its NICs may have in all, of their own keys: they are set by whoever owns it, and cost the server. */
const MOST = 16;

/** The checks of one instance: what agent.yaml says of it, and what it and its NICs say themselves. */
export function planChecks(
  world: Pick<Snapshot, "networks" | "projects">,
  instance: KnownInstance,
  config: HealthConfig,
): Plan {
  const { project, name } = instance;
  const at = { project, instance: name };
  const key = keyOf(instance);
  const run = runOf(instance);
  const nics = findNics(world, instance);
  const checks = new Map<string, Check>();
  const problems: Problem[] = [];
  let own = 0;
  const add = (origin: string, written: WrittenCheck, timers: Partial<Timers>, on: readonly Nic[]): void => {
    const { target } = written;
    const idOf = (label: string): string => `${key} ${origin} ${label}`;
    // Two of one name are two checks, and both must pass.
    let label = written.name;
    for (let i = 2; checks.has(idOf(label)); i++) label = `${written.name}-${i}`;
    checks.set(idOf(label), {
      ...written,
      ...at,
      name: label,
      id: idOf(label),
      run,
      timers: { ...config.timers, ...timers },
      ...(origin.startsWith("nic ") ? { device: origin.slice("nic ".length) } : {}),
      ...(target.kind === "exec" ? {} : findWay(instance, target.address, on)),
    });
  };
  const addWritten = (origin: string, values: Config, source: Problem["source"], on: readonly Nic[]): void => {
    const written = readCheckKeys(values, source);
    problems.push(...written.problems);
    for (const check of written.checks) {
      const { name: label, text, target } = check;
      const refuse = (why: string): void => {
        problems.push({ source, key: label === DEFAULT_NAME ? KEY : `${KEY}.${label}`, value: printable(text), why });
      };
      if (target.kind !== "exec" && target.address !== undefined && !isIn(target.address, on)) refuse(FOREIGN);
      else if (own >= MOST) refuse(`is one too many: an instance has at most ${MOST} checks of its own`);
      else {
        own++;
        add(origin, check, written.timers, on);
      }
    }
  };
  for (const { instances, timers, ...check } of config.checks)
    if (instances.some((pattern) => pattern.test(key))) add("agent.yaml", check, timers, nics);
  addWritten("instance", instance.expanded_config, { ...at, network: "" }, nics);
  for (const nic of nics) {
    const source = { ...at, network: nic.config["network"] ?? nic.config["parent"] ?? "", device: nic.device };
    addWritten(`nic ${nic.device}`, nic.config, source, [nic]);
  }
  return { checks: [...checks.values()], problems };
}

const FOREIGN = "goes to an address outside the subnets of this instance's networks; only a check in agent.yaml may";

/** What LXD changes when an instance starts (`last_used_at`, and nothing else) and when one is made under a name that was free again. */
export function runOf({ created_at, last_used_at }: KnownInstance): string {
  return `${Date.parse(created_at)} ${Date.parse(last_used_at)}`;
}
