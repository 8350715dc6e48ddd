import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT, type Lab, TRANSFER_KEY, ZONES } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { client } from "./lab.ts";

export type Daemon = "nsd" | "knot" | "bind";
/** Where each answers, on the client host. */
export const PORTS: Readonly<Record<Daemon, number>> = { nsd: 5301, knot: 5302, bind: 5303 };
/** Of the lab's zones, as they are asked for. */
export const ORIGINS = [ZONES.forward, ZONES.reverse4, ZONES.reverse6, ZONES.inside4] as const;

/** A real secondary on the client host, beyond the providers, with all servers of the lab as its primaries. */
export class Secondary {
  readonly kind: Daemon;
  readonly #lab: Lab;
  readonly #argv: readonly string[];
  readonly #folder: string;
  #process: ChildProcess | undefined;

  /** @param folder for its files; they outlive a stop */
  constructor(kind: Daemon, lab: Lab, folder: string) {
    this.kind = kind;
    this.#lab = lab;
    this.#folder = join(folder, kind);
    mkdirSync(this.#folder, { recursive: true });
    const primaries = lab.topology.servers.map(({ hosts6 }) => hosts6);
    const path = join(this.#folder, "conf");
    writeFileSync(path, `${{ nsd, knot, bind }[kind](this.#folder, primaries).join("\n")}\n`);
    this.#argv = { nsd: ["nsd", "-d", "-c", path], knot: ["knotd", "-c", path], bind: ["named", "-g", "-c", path] }[
      kind
    ];
  }

  async start(): Promise<void> {
    const [file, ...args] = this.#lab.argv("client", this.#argv);
    this.#process = spawn(file, args, { cwd: this.#folder, stdio: "ignore" });
    await eventually(`${this.kind} answers`, async () =>
      (await this.dig("+tries=1", "+time=1", "example", "SOA")).includes("status: REFUSED"),
    );
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (running?.exitCode !== null) return;
    const gone = once(running, "exit");
    running.kill();
    await gone;
  }

  async dig(...words: string[]): Promise<string> {
    return await client(this.#lab, "dig", `@${CLIENT.ipv6}`, "-p", String(PORTS[this.kind]), ...words);
  }

  async serial(zone: string): Promise<number> {
    return Number((await this.dig("+short", zone, "SOA")).split(" ")[2]);
  }
}

function nsd(folder: string, primaries: readonly string[]): string[] {
  const { name, secret } = TRANSFER_KEY;
  return [
    "server:",
    `  ip-address: ${CLIENT.ipv6}@${PORTS.nsd}`,
    '  username: ""',
    '  chroot: ""',
    '  database: ""',
    `  zonesdir: "${folder}"`,
    `  xfrdir: "${folder}"`,
    `  xfrdfile: "${folder}/xfrd.state"`,
    `  zonelistfile: "${folder}/zone.list"`,
    `  pidfile: "${folder}/pid"`,
    "  xfrd-reload-timeout: 0",
    "  zonefiles-write: 1",
    "remote-control:",
    "  control-enable: no",
    "key:",
    `  name: "${name}"`,
    "  algorithm: hmac-sha256",
    `  secret: "${secret}"`,
    ...ORIGINS.flatMap((origin) => [
      "zone:",
      `  name: "${origin}"`,
      `  zonefile: "${origin}zone"`,
      ...primaries.flatMap((address) => [`  request-xfr: ${address} ${name}`, `  allow-notify: ${address} ${name}`]),
    ]),
  ];
}

/** Knot learns of the zones from the catalog, as BIND does. */
function knot(folder: string, primaries: readonly string[]): string[] {
  const { name, secret } = TRANSFER_KEY;
  const masters = `[${primaries.map((_, i) => `primary${i}`).join(", ")}]`;
  return [
    "server:",
    `  listen: ${CLIENT.ipv6}@${PORTS.knot}`,
    `  rundir: "${folder}"`,
    "  user: root:root",
    "database:",
    `  storage: "${folder}"`,
    "key:",
    `  - id: ${name}`,
    "    algorithm: hmac-sha256",
    `    secret: ${secret}`,
    "remote:",
    ...primaries.flatMap((address, i) => [`  - id: primary${i}`, `    address: ${address}`, `    key: ${name}`]),
    "acl:",
    "  - id: notify",
    "    action: notify",
    `    key: ${name}`,
    "template:",
    "  - id: default",
    `    storage: "${folder}"`,
    "  - id: member",
    `    storage: "${folder}"`,
    `    master: ${masters}`,
    "    acl: notify",
    "zone:",
    `  - domain: ${ZONES.catalog}`,
    `    master: ${masters}`,
    "    acl: notify",
    "    catalog-role: interpret",
    "    catalog-template: member",
  ];
}

function bind(folder: string, primaries: readonly string[]): string[] {
  const { name, secret } = TRANSFER_KEY;
  const list = primaries.map((address) => `${address} key "${name}";`).join(" ");
  return [
    `key "${name}" { algorithm hmac-sha256; secret "${secret}"; };`,
    "options {",
    `  directory "${folder}";`,
    `  listen-on-v6 port ${PORTS.bind} { ${CLIENT.ipv6}; };`,
    "  listen-on { none; };",
    "  recursion no; notify no; empty-zones-enable no; dnssec-validation no; pid-file none; session-keyfile none;",
    `  allow-notify { key "${name}"; };`,
    `  catalog-zones { zone "${ZONES.catalog}" default-primaries { ${list} } in-memory no zone-directory "${folder}" min-update-interval 1; };`,
    "};",
    "controls { };",
    `zone "${ZONES.catalog}" { type secondary; file "catalog"; primaries { ${list} }; };`,
  ];
}
