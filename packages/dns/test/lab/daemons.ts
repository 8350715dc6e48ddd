import { type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "@trivet/lab";
import { eventually } from "@trivet/testing";

/** A zone of a daemon: its file, or the address and port of its primary. */
export interface DaemonZone {
  readonly origin: string;
  readonly file?: string;
  readonly primary?: { readonly address: string; readonly port: number };
}

export interface DaemonOptions {
  readonly namespace: Namespace;
  /** An empty folder for its files. */
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly zones: readonly DaemonZone[];
  /** For transfers and notifications: name and secret of an hmac-sha256 key. */
  readonly key?: { readonly name: string; readonly secret: string };
  /** BIND and Knot: take the zones that this zone of the primary lists. */
  readonly catalog?: { readonly origin: string; readonly primary: { readonly address: string; readonly port: number } };
}

export type Daemon = "nsd" | "knot" | "bind";

/** Starts a daemon and waits until it has the zones that it has files for. It ends with the namespace. */
export async function startDaemon(kind: Daemon, options: DaemonOptions): Promise<ChildProcess> {
  const { namespace, folder, address, port, zones } = options;
  mkdirSync(folder, { recursive: true });
  const argv = { nsd, knot, bind }[kind](options);
  const child = namespace.spawn(argv, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
  // Without a file, REFUSED shows that it is there.
  const [loaded, status] = zones
    .filter(({ file }) => file !== undefined)
    .map(({ origin }) => [origin, "NOERROR"] as const)[0] ?? [".", "REFUSED"];
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  try {
    await eventually(`${kind} answers`, async () => {
      const { stdout } = await namespace.run([
        "dig",
        `@${address}`,
        "-p",
        String(port),
        "+tries=1",
        "+time=1",
        loaded,
        "SOA",
      ]);
      return stdout.includes(`status: ${status}`);
    });
  } catch (error) {
    throw new Error(`${kind} does not start: ${log.slice(-2000)}`, { cause: error });
  }
  return child;
}

function configuration(folder: string, name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

function nsd({ folder, address, port, zones, key }: DaemonOptions): [string, ...string[]] {
  const with_ = key === undefined ? "NOKEY" : key.name;
  const path = configuration(folder, "nsd.conf", [
    "server:",
    `  ip-address: ${address}@${port}`,
    '  username: ""',
    '  chroot: ""',
    '  database: ""',
    `  zonesdir: "${folder}"`,
    `  xfrdir: "${folder}"`,
    `  xfrdfile: "${folder}/xfrd.state"`,
    `  zonelistfile: "${folder}/zone.list"`,
    `  pidfile: "${folder}/nsd.pid"`,
    "  rrl-ratelimit: 0",
    "  xfrd-reload-timeout: 0",
    "  refuse-any: no",
    "remote-control:",
    "  control-enable: no",
    ...(key === undefined
      ? []
      : ["key:", `  name: "${key.name}"`, "  algorithm: hmac-sha256", `  secret: "${key.secret}"`]),
    ...zones.flatMap(({ origin, file, primary }) => [
      "zone:",
      `  name: "${origin}"`,
      `  zonefile: "${file ?? `${folder}/${origin}zone`}"`,
      ...(primary === undefined
        ? []
        : [
            `  allow-notify: ${primary.address} ${with_}`,
            `  request-xfr: ${primary.address}@${primary.port} ${with_}`,
          ]),
    ]),
  ]);
  return ["nsd", "-d", "-c", path];
}

function knot({ folder, address, port, zones, key, catalog }: DaemonOptions): [string, ...string[]] {
  const primaries = [
    ...zones.flatMap(({ primary }) => primary ?? []),
    ...(catalog === undefined ? [] : [catalog.primary]),
  ];
  const [primary] = primaries;
  const path = configuration(folder, "knot.conf", [
    "server:",
    `  listen: ${address}@${port}`,
    `  rundir: "${folder}"`,
    "  user: root:root",
    "log:",
    "  - target: stderr",
    "    any: info",
    "database:",
    `  storage: "${folder}"`,
    ...(key === undefined
      ? []
      : ["key:", `  - id: ${key.name}`, "    algorithm: hmac-sha256", `    secret: ${key.secret}`]),
    ...(primary === undefined
      ? []
      : [
          "remote:",
          "  - id: primary",
          `    address: ${primary.address}@${primary.port}`,
          ...(key === undefined ? [] : [`    key: ${key.name}`]),
          "acl:",
          "  - id: notify",
          `    address: ${primary.address}`,
          "    action: notify",
          ...(key === undefined ? [] : [`    key: ${key.name}`]),
        ]),
    "template:",
    "  - id: default",
    `    storage: "${folder}"`,
    "    zonefile-sync: -1",
    "    journal-content: all",
    ...(catalog === undefined
      ? []
      : ["  - id: member", "    master: primary", "    acl: notify", `    storage: "${folder}"`]),
    "zone:",
    ...zones.flatMap((zone) => [
      `  - domain: ${zone.origin}`,
      ...(zone.file === undefined ? ["    master: primary", "    acl: notify"] : [`    file: "${zone.file}"`]),
    ]),
    ...(catalog === undefined
      ? []
      : [
          `  - domain: ${catalog.origin}`,
          "    master: primary",
          "    acl: notify",
          "    catalog-role: interpret",
          "    catalog-template: member",
        ]),
  ]);
  return ["knotd", "-c", path];
}

function bind({ folder, address, port, zones, key, catalog }: DaemonOptions): [string, ...string[]] {
  const with_ = key === undefined ? "" : ` key "${key.name}"`;
  const primary = (at: { address: string; port: number }): string =>
    `primaries { ${at.address} port ${at.port}${with_}; };`;
  const notifiers = key === undefined ? "" : `allow-notify { key "${key.name}"; };`;
  const path = configuration(folder, "named.conf", [
    ...(key === undefined ? [] : [`key "${key.name}" { algorithm hmac-sha256; secret "${key.secret}"; };`]),
    "options {",
    `  directory "${folder}";`,
    `  listen-on port ${port} { ${address}; };`,
    "  listen-on-v6 { none; };",
    "  recursion no; allow-query { any; }; notify no; empty-zones-enable no; dnssec-validation no;",
    "  minimal-responses no-auth; pid-file none; session-keyfile none; max-cache-size 16m; check-integrity no;",
    ...(catalog === undefined
      ? []
      : [
          `  catalog-zones { zone "${catalog.origin}" default-primaries { ${catalog.primary.address} port ${catalog.primary.port}${with_}; } min-update-interval 1; };`,
        ]),
    "};",
    "controls { };",
    ...[...zones, ...(catalog === undefined ? [] : [{ ...catalog, file: undefined }])].map(
      ({ origin, file, primary: at }) =>
        file === undefined && at !== undefined
          ? `zone "${origin}" { type secondary; file "${origin}db"; ${primary(at)} ${notifiers} };`
          : `zone "${origin}" { type primary; file "${file}"; };`,
    ),
  ]);
  return ["named", "-g", "-c", path];
}
