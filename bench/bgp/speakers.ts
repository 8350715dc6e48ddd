import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Address, type Family } from "@trivet/ip";
import { type Namespace, run } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { writeMrt } from "./mrt.ts";
import { texts } from "./routes.ts";
import { SINK_AS, SPEAKER_AS, sinkAddresses, speakerAddress } from "./session.ts";

/** A place to run a speaker in, and the routes it is to have. */
export interface Setting {
  readonly namespace: Namespace;
  readonly folder: string;
  readonly family: Family;
  readonly count: number;
}

export interface SpeakerUnderTest {
  readonly name: string;
  readonly label: string;
  /** Starts it and waits until it has all the routes and takes sessions. */
  start(setting: Setting): Promise<ChildProcess>;
}

/** Milliseconds that a speaker may take to load its routes. */
const LOADING = 300_000;

function script(name: string, label: string): SpeakerUnderTest {
  return {
    name,
    label,
    async start({ namespace, family, count }) {
      const path = join(import.meta.dirname, `${name}.ts`);
      const child = namespace.spawn([process.execPath, path, String(family), String(count)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      if (child.stdout === null) throw new Error("no standard output");
      await once(createInterface(child.stdout), "line");
      return child;
    },
  };
}

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const withEnds = function* (): Generator<string> {
    for (const line of lines) yield `${line}\n`;
  };
  await pipeline(Readable.from(withEnds()), createWriteStream(path));
}

function frr(name: string, label: string, tuning: readonly string[]): SpeakerUnderTest {
  return {
    name,
    label,
    async start({ namespace, folder, family, count }) {
      const config = join(folder, "bgpd.conf");
      await writeLines(config, frrConfig(family, count, tuning));
      await run(["chown", "-R", "frr:frr", folder]);
      const sockets = ["-i", join(folder, "pid"), "-z", join(folder, "zserv"), "--vty_socket", folder];
      const zebra = ["-i", join(folder, "zebra.pid"), "-z", join(folder, "zserv"), "--vty_socket", folder];
      namespace.spawn(["/usr/lib/frr/zebra", "-A", "127.0.0.1", ...zebra], { stdio: "ignore" });
      await eventually("zebra answers", async () => vtysh(namespace, folder, "show interface brief"));
      const child = namespace.spawn(["/usr/lib/frr/bgpd", "-f", config, "-A", "127.0.0.1", ...sockets], {
        stdio: "ignore",
      });
      const table = `show bgp ipv${family} unicast statistics`;
      const loaded = new RegExp(`Total Prefixes\\s*:\\s*${count}\\b`);
      await eventually("FRR has the routes", async () => loaded.test(await vtysh(namespace, folder, table)), LOADING);
      return child;
    },
  };
}

async function vtysh(namespace: Namespace, folder: string, command: string): Promise<string> {
  return (await namespace.run(["vtysh", "--vty_socket", folder, "-c", command])).stdout;
}

function* frrConfig(family: Family, count: number, tuning: readonly string[]): Generator<string> {
  yield `router bgp ${SPEAKER_AS}`;
  yield* [" bgp router-id 192.0.2.1", " no bgp ebgp-requires-policy", " no bgp network import-check"];
  yield " no bgp default ipv4-unicast";
  yield* tuning;
  for (const address of sinkAddresses(family)) {
    yield ` neighbor ${address} remote-as ${SINK_AS}`;
    yield ` neighbor ${address} passive`;
  }
  yield ` address-family ipv${family} unicast`;
  for (const address of sinkAddresses(family)) yield `  neighbor ${address} activate`;
  for (const prefix of texts(family, count)) yield `  network ${prefix}`;
  yield " exit-address-family";
}

const bird: SpeakerUnderTest = {
  name: "bird",
  label: "BIRD",
  async start({ namespace, folder, family, count }) {
    const config = join(folder, "bird.conf");
    await writeLines(config, birdConfig(family, count));
    const control = join(folder, "control");
    const child = namespace.spawn(["bird", "-f", "-c", config, "-s", control, "-P", join(folder, "pid")], {
      stdio: "ignore",
    });
    const loaded = new RegExp(`^${count} of `, "m");
    await eventually(
      "BIRD has the routes",
      async () => loaded.test((await namespace.run(["birdc", "-s", control, "show", "route", "count"])).stdout),
      LOADING,
    );
    return child;
  },
};

function* birdConfig(family: Family, count: number): Generator<string> {
  yield* ["router id 192.0.2.1;", "protocol device {}", `protocol static { ipv${family};`];
  for (const prefix of texts(family, count)) yield `route ${prefix} blackhole;`;
  yield "}";
  for (const address of sinkAddresses(family)) {
    yield `protocol bgp { local ${speakerAddress(family)} as ${SPEAKER_AS}; neighbor ${address} as ${SINK_AS}; passive;`;
    yield `ipv${family} { import none; export all; next hop self; }; }`;
  }
}

const gobgp: SpeakerUnderTest = {
  name: "gobgp",
  label: "GoBGP",
  async start({ namespace, folder, family, count }) {
    const neighbors = sinkAddresses(family).map(
      (address) => `[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${SINK_AS}
  [neighbors.transport.config]
    passive-mode = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv${family}-unicast"`,
    );
    const config = join(folder, "gobgpd.toml");
    writeFileSync(
      config,
      [`[global.config]`, `as = ${SPEAKER_AS}`, `router-id = "192.0.2.1"`, ...neighbors].join("\n"),
    );
    const child = namespace.spawn(["gobgpd", "-f", config, "-l", "error"], { stdio: "ignore" });
    const gobgpctl = async (...words: string[]): Promise<string> =>
      (await namespace.run(["gobgp", ...words], { timeout: LOADING })).stdout;
    await eventually("gobgpd answers", async () => gobgpctl("global"));
    const table = join(folder, "table.mrt");
    await writeMrt(table, family, count, Address.parse(speakerAddress(family)).bytes);
    await gobgpctl("mrt", "inject", "global", table);
    const loaded = new RegExp(`Destination: ${count}\\b`);
    const summary = ["global", "rib", "summary", "-a", `ipv${family}`];
    await eventually("GoBGP has the routes", async () => loaded.test(await gobgpctl(...summary)), LOADING);
    return child;
  },
};

export const SPEAKERS: readonly SpeakerUnderTest[] = [
  script("raw", "prepared octets"),
  script("trivet", "trivet"),
  gobgp,
  frr("frr", "FRR", []),
  frr("frr-eager", "FRR, coalesce-time 0", [" coalesce-time 0"]),
  bird,
];
