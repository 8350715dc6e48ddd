import type { Cluster } from "@trivet/spec";
import { type Component, type Kind, componentsOf } from "./components.ts";
import { Model, type Outcome } from "./outcome.ts";

/** What a failure, or two at once, would do. */
export interface Consequence {
  readonly lost: readonly Component[];
  readonly outcome: Outcome;
  /** Services that are gone. */
  readonly down: readonly string[];
  /** Services that have lost some of their redundancy. */
  readonly degraded: readonly string[];
}

/** A component whose failure alone ends a service. */
export interface SinglePoint extends Consequence {
  /** What would make it one no longer. */
  readonly remedy: string;
}

export interface WhatIf {
  /** Each by itself, the worst first. */
  readonly singles: readonly Consequence[];
  /** Two at once that end a service which neither ends alone, the worst first. */
  readonly pairs: readonly Consequence[];
  readonly singlePoints: readonly SinglePoint[];
  /** How many pairs were looked at. */
  readonly pairsTried: number;
}

/** Above this many components only whole machines, feeds and lines are tried. */
const MOST_PARTS = 250;
const COARSE: ReadonlySet<Kind> = new Set(["feed", "switch", "server", "line", "upstream", "router"]);

/** What a server or a link may have several of: it matters only when the last is gone. */
const REDUNDANT: ReadonlySet<Kind> = new Set(["psu", "card", "port", "cable"]);

/** A name that is nothing of the cluster. */
export class UnknownComponentError extends Error {
  override readonly name = "UnknownComponentError";
  readonly fault = "input";
}

/** What works when the named components are gone. @throws UnknownComponentError */
export function lose(cluster: Cluster, names: readonly string[]): Consequence {
  const components = componentsOf(cluster);
  const lost = names.map((name) => {
    const found = components.find((each) => each.name === name);
    if (found !== undefined) return found;
    const near = components.filter((each) => each.name.includes(name) || name.includes(each.name)).slice(0, 3);
    const hint =
      near.length > 0
        ? `did you mean ${near.map((each) => each.name).join(", ")}?`
        : `there is ${components
            .filter(({ kind }) => COARSE.has(kind))
            .map((each) => each.name)
            .join(", ")}`;
    throw new UnknownComponentError(`the cluster has no ${name} to lose; ${hint}`);
  });
  return consequence(new Model(cluster), lost);
}

/** What is tried. In a large cluster only what is more than a part of one server: of such parts a server's own failure tells as much. */
function partsOf(cluster: Cluster): Component[] {
  const parts = componentsOf(cluster).filter(({ kind }) => kind !== "instance");
  return parts.length > MOST_PARTS ? parts.filter(({ kind }) => COARSE.has(kind)) : parts;
}

/** The components whose failure alone ends a service, the worst first. */
export function singlePoints(cluster: Cluster): SinglePoint[] {
  const model = new Model(cluster);
  const parts = partsOf(cluster);
  return pointsOf(cluster, parts.map((component) => consequence(model, [component])).sort(worstFirst));
}

function pointsOf(cluster: Cluster, singles: readonly Consequence[]): SinglePoint[] {
  return singles
    .filter(({ down }) => down.length > 0)
    .map((single): SinglePoint => Object.assign(single, { remedy: remedyFor(cluster, single) }));
}

/** Every single failure, then every pair, ranked by what they take down. */
export function whatIf(cluster: Cluster): WhatIf {
  const model = new Model(cluster);
  const components = partsOf(cluster);
  const singles = components.map((component) => consequence(model, [component])).sort(worstFirst);
  const endedBy = new Map(singles.map(({ lost, down }) => [lost[0]?.name, new Set(down)]));
  const usual = distinct(components, singles);
  const pairs: Consequence[] = [];
  let pairsTried = 0;
  for (const [index, first] of usual.entries()) {
    for (const second of usual.slice(index + 1)) {
      pairsTried++;
      const both = consequence(model, [first, second]);
      // Only what the two do together is news.
      if (
        both.down.some(
          (name) => endedBy.get(first.name)?.has(name) !== true && endedBy.get(second.name)?.has(name) !== true,
        )
      )
        pairs.push(both);
    }
  }
  return { singles, pairs: pairs.sort(worstFirst), singlePoints: pointsOf(cluster, singles), pairsTried };
}

/** Without parts whose failure is that of their whole server: the system's only disk and the server fail alike. */
function distinct(components: readonly Component[], singles: readonly Consequence[]): Component[] {
  const effects = new Map(singles.map(({ lost, outcome }) => [lost[0]?.name, JSON.stringify(outcome)]));
  return components.filter(({ kind, name }) => {
    const [server] = name.split("/");
    return kind === "server" || kind === "bmc" || !name.includes("/") || effects.get(name) !== effects.get(server);
  });
}

function consequence(model: Model, lost: readonly Component[]): Consequence {
  const names = new Set(lost.map(({ name }) => name));
  const outcome = lost.every(({ kind }) => REDUNDANT.has(kind)) ? model.afterParts(names) : model.after(names);
  const named = (status: string) =>
    outcome.services.filter((service) => service.status === status).map(({ name }) => name);
  return { lost, outcome, down: named("down"), degraded: named("degraded") };
}

/** What all else leans on counts most. */
const WEIGHTS: Partial<Record<string, number>> = {
  LXD: 20,
  OVN: 20,
  "Ceph monitors": 20,
  internet: 15,
  gateway: 15,
  monitoring: 2,
  "management (BMC)": 2,
};

function weight({ down, degraded, outcome }: Consequence): number {
  const gone = down.reduce((sum, name) => sum + (WEIGHTS[name] ?? (name.startsWith("storage ") ? 15 : 8)), 0);
  return gone * 100 + outcome.stopped.length * 10 + outcome.moved.length + degraded.length / 10;
}

function worstFirst(a: Consequence, b: Consequence): number {
  const names = ({ lost }: Consequence) => lost.map(({ name }) => name).join();
  return weight(b) - weight(a) || (names(a) < names(b) ? -1 : 1);
}

function remedyFor(cluster: Cluster, { lost: [component], outcome, down }: Consequence): string {
  const { kind, name = "" } = component ?? {};
  const [service] = down;
  switch (kind) {
    case "switch":
      return "add a second switch, stacked or with MLAG, and take one port of each server's bond to each";
    case "feed":
      return "give servers and switches a second power supply on another feed";
    case "line":
      return "have a second line, ending in another switch";
    case "upstream":
      return "have sessions with a second router of the provider";
    case "router":
      return "run a router on another server as well";
    case "disk":
      return `mirror ${name}, or run more instances of ${service ?? "the service"} on other servers`;
    case "psu":
    case "card":
    case "port":
    case "cable":
      return `have a second ${kind === "psu" ? "power supply" : kind} do the same work`;
    case "server": {
      const bound = outcome.stopped.find(({ reason }) => reason !== "")?.reason;
      return cluster.servers.length < 3
        ? "have three servers at least"
        : `run more instances of ${service ?? "the service"} on other servers${bound === undefined ? "" : ` (${bound})`}`;
    }
    case "bmc":
    case "instance":
    case undefined:
      return "have another";
  }
}
