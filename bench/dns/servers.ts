import type { ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { build } from "esbuild";
import { ORIGIN, PORT } from "./zone.ts";

export interface Setting {
  readonly namespace: Namespace;
  readonly folder: string;
  readonly zoneFile: string;
  /** Threads or processes for queries. */
  readonly workers: number;
  /** With one worker everything is kept on this processor. */
  readonly pin: number | undefined;
}

export interface ServerUnderTest {
  readonly name: string;
  readonly label: string;
  /** Writes its configuration and says how it is started. */
  readonly command: (setting: Setting) => [string, ...string[]];
}

/** Milliseconds that a server may take to load the zone. */
const LOADING = 120_000;

function configuration({ folder }: Setting, name: string, lines: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

export const SERVERS: readonly ServerUnderTest[] = [
  {
    name: "nsd",
    label: "NSD 4.6.1",
    command: (setting) => [
      "nsd",
      "-d",
      "-c",
      configuration(setting, "nsd.conf", [
        "server:",
        `  ip-address: 127.0.0.1@${PORT}`,
        `  server-count: ${setting.workers}`,
        "  reuseport: yes",
        '  username: ""',
        '  database: ""',
        `  zonesdir: "${setting.folder}"`,
        `  xfrdfile: "${setting.folder}/xfrd.state"`,
        `  zonelistfile: "${setting.folder}/zone.list"`,
        `  pidfile: "${setting.folder}/nsd.pid"`,
        "  rrl-ratelimit: 0",
        "remote-control:",
        "  control-enable: no",
        "zone:",
        `  name: "${ORIGIN}"`,
        `  zonefile: "${setting.zoneFile}"`,
        "  provide-xfr: 127.0.0.0/8 NOKEY",
      ]),
    ],
  },
  {
    name: "knot",
    label: "Knot 3.2.6",
    command: (setting) => [
      "knotd",
      "-c",
      configuration(setting, "knot.conf", [
        "server:",
        `  listen: 127.0.0.1@${PORT}`,
        `  rundir: "${setting.folder}"`,
        "  user: root:root",
        `  udp-workers: ${setting.workers}`,
        "  tcp-workers: 1",
        "  background-workers: 1",
        "database:",
        `  storage: "${setting.folder}"`,
        "acl:",
        "  - id: local",
        "    address: 127.0.0.0/8",
        "    action: transfer",
        "zone:",
        `  - domain: ${ORIGIN}`,
        `    file: "${setting.zoneFile}"`,
        "    acl: local",
        "    zonefile-sync: -1",
        "    journal-content: none",
      ]),
    ],
  },
  {
    name: "bind",
    label: "BIND 9.18",
    command: (setting) => [
      "named",
      "-g",
      "-n",
      String(setting.workers),
      "-c",
      configuration(setting, "named.conf", [
        `options { directory "${setting.folder}"; listen-on port ${PORT} { 127.0.0.1; }; listen-on-v6 { none; };`,
        "  recursion no; notify no; dnssec-validation no; empty-zones-enable no; pid-file none; session-keyfile none;",
        "  minimal-responses yes; };",
        "controls { };",
        "logging { category default { null; }; };",
        `zone "${ORIGIN}" { type primary; file "${setting.zoneFile}"; allow-transfer { 127.0.0.0/8; }; };`,
      ]),
    ],
  },
  {
    name: "pdns",
    label: "PowerDNS 4.7",
    command: (setting) => {
      configuration(setting, "zones.conf", [`zone "${ORIGIN}" { type master; file "${setting.zoneFile}"; };`]);
      configuration(setting, "pdns.conf", [
        "launch=bind",
        `bind-config=${setting.folder}/zones.conf`,
        "local-address=127.0.0.1",
        `local-port=${PORT}`,
        `receiver-threads=${setting.workers}`,
        `distributor-threads=1`,
        `reuseport=${setting.workers > 1 ? "yes" : "no"}`,
        `socket-dir=${setting.folder}`,
        "guardian=no",
        "daemon=no",
        "disable-syslog=yes",
        "loglevel=2",
        "disable-axfr=no",
        "allow-axfr-ips=127.0.0.0/8",
        "setuid=",
        "setgid=",
      ]);
      return ["pdns_server", `--config-dir=${setting.folder}`];
    },
  },
  {
    name: "trivet",
    label: "trivet",
    command: ({ folder, zoneFile, workers }) => [
      process.execPath,
      join(folder, "../bundle/trivet.js"),
      zoneFile,
      String(workers),
    ],
  },
];

/** Bundles trivet's server below `folder`, as a release has it: it must not pay for the removal of types at its start. */
export async function bundle(folder: string): Promise<void> {
  const root = join(import.meta.dirname, "../..");
  const outdir = join(folder, "bundle");
  await build({
    entryPoints: {
      trivet: join(import.meta.dirname, "trivet.ts"),
      "dns-worker": join(root, "packages/dns/src/worker/main.ts"),
    },
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: "esm",
    platform: "node",
    target: "node24",
    external: ["koffi"],
  });
  writeFileSync(join(outdir, "package.json"), '{"type":"module"}');
  symlinkSync(join(root, "node_modules"), join(outdir, "node_modules"));
}

/** Starts a server in the namespace and waits until it answers for the zone. */
export async function start(server: ServerUnderTest, setting: Setting): Promise<ChildProcess> {
  const { namespace, pin } = setting;
  const command = server.command(setting);
  const child = namespace.spawn(pin === undefined ? command : ["taskset", "-c", String(pin), ...command], {
    stdio: "ignore",
  });
  await eventually(
    `${server.label} answers`,
    async () => {
      const dig = ["dig", "@127.0.0.1", "-p", String(PORT), "+time=1", "+tries=1", ORIGIN, "SOA"] as const;
      return (await namespace.run([...dig])).stdout.includes("status: NOERROR");
    },
    LOADING,
  );
  return child;
}
