import { Composite } from "./source/composite.ts";
import type { FileReader } from "./source/composite.ts";
import type { Context } from "./context.ts";
import type { Cluster } from "./model.ts";
import { hardwarePath } from "./resolve/hardware.ts";
import { resolveCluster } from "./resolve/index.ts";
import { checkRules } from "./rules/index.ts";
import { type ClusterFile, clusterSchema } from "./schema/cluster.ts";
import { formatDiagnostic } from "./source/print.ts";
import { type Diagnostic, type Location, SpecError, compareDiagnostics } from "./source/diagnostic.ts";
import type { Path } from "./source/document.ts";
import { type Rejected, validate } from "./source/load.ts";

/** A cluster that contradicts itself nowhere. */
export interface LoadedCluster {
  readonly ok: true;
  readonly cluster: Cluster;
  /** The file as written, with its includes. */
  readonly file: ClusterFile;
  /** Warnings and notes. */
  readonly diagnostics: readonly Diagnostic[];
  /** The files that were read: the first, then its includes. */
  readonly files: readonly string[];
  locate(path: Path, key?: boolean): Location;
}

/**
 * Reads cluster.yaml and what it includes, checks it and derives the cluster. All problems are found at once.
 *
 * @throws SpecError when the file itself cannot be read
 */
export function loadCluster(path: string, reader?: FileReader): LoadedCluster | Rejected {
  const source = new Composite(path, reader);
  if (source.diagnostics.length > 0) return { ok: false, diagnostics: source.diagnostics };
  const locate = (at: Path, key?: boolean) => source.locate(at, key);
  const valid = validate(source.value, clusterSchema, locate);
  if (!valid.ok) return valid;
  const diagnostics: Diagnostic[] = [];
  const said = new Set<string>();
  const context: Context = {
    file: valid.value,
    report: (at, { key, ...finding }) => {
      // A fault of a model is met once for each of its servers.
      const same = `${finding.code}\0${at.join("\0")}`;
      if (said.has(same)) return;
      said.add(same);
      if (diagnostics.length < MOST_DIAGNOSTICS)
        diagnostics.push({ severity: "error", ...finding, ...locate(at, key) });
    },
  };
  const cluster = resolveCluster(context);
  checkRules(context, cluster);
  const found = withoutConsequences(diagnostics).sort(compareDiagnostics);
  if (found.some(({ severity }) => severity === "error")) return { ok: false, diagnostics: found };
  return {
    ok: true,
    cluster: deepFreeze(cluster),
    file: valid.value,
    diagnostics: found,
    files: source.files,
    locate: (at, key) => locate(written(valid.value, at), key),
  };
}

/** A cluster.yaml that cannot be used; `report` shows all that is wrong with it, with the lines. */
export class ClusterError extends SpecError {
  readonly report: string;

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics);
    this.report = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join("\n");
  }
}

/** As {@link loadCluster}, for who only wants a good cluster. @throws ClusterError */
export function readCluster(path: string, reader?: FileReader): Cluster {
  const result = loadCluster(path, reader);
  if (!result.ok) throw new ClusterError(result.diagnostics);
  return result.cluster;
}

const MOST_DIAGNOSTICS = 500;

/** A part of a server stands where it is written: with the server, or in its model. */
function written(file: ClusterFile, path: Path): Path {
  const [section, server, ...rest] = path;
  return section === "servers" && typeof server === "string" && rest.length > 0
    ? hardwarePath(file, server, ...rest)
    : path;
}

/** What each fault makes appear that is none by itself: it is said only when still there after the cause is gone. */
const CONSEQUENCES: Partial<Record<string, readonly string[]>> = {
  "unknown-model": ["missing-key", "link-one-way", "mesh-links", "port-unknown", "vlan-link", "class-without-disk"],
  "unknown-link-target": ["link-one-way", "mesh-links", "vlan-link"],
  "mesh-links": ["link-one-way"],
  "number-twice": ["address-twice"],
};

function withoutConsequences(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const codes = new Set(diagnostics.map(({ code }) => code));
  const consequent = new Set([...codes].flatMap((code) => CONSEQUENCES[code] ?? []));
  return diagnostics.filter(({ code }) => !consequent.has(code));
}

function deepFreeze<T>(value: T): T {
  const plain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (!plain || Object.isFrozen(value)) return value;
  for (const part of Object.values(value as object)) deepFreeze(part);
  return Object.freeze(value);
}
