// Records what real BGP speakers send, as fixtures of packages/bgp: `sudo node scripts/capture-bgp.ts`.
// Each daemon runs in a namespace of its own; from another one three recorders connect to it: a speaker of today, one with
// two-octet AS numbers, and an internal peer. What they receive goes to packages/bgp/test/wire/fixtures/<daemon>.hex.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Namespace, run } from "@trivet/lab";

const FIXTURES = fileURLToPath(new URL("../packages/bgp/test/wire/fixtures", import.meta.url));
const DAEMON = "192.0.2.1";
const DAEMON_AS = 4200000001;

interface Recorder {
  readonly name: string;
  readonly address: string;
  readonly asn: number;
  /** The body of its OPEN after the version. */
  readonly open: string;
}

const u16 = (value: number): string => value.toString(16).padStart(4, "0");
const u32 = (value: number): string => value.toString(16).padStart(8, "0");
const CAPABILITIES = "010400010001 010400020001 0200 4600 0506000100010002 0600 4006c07800010180".replaceAll(" ", "");

function recorder(name: string, address: string, asn: number, capabilities: string): Recorder {
  const octets = capabilities.length / 2;
  const parameters = (octets + 2).toString(16).padStart(2, "0") + "02" + octets.toString(16).padStart(2, "0");
  const id = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return {
    name,
    address,
    asn,
    open: u16(asn > 0xffff ? 23456 : asn) + "00b4" + id.join("") + parameters + capabilities,
  };
}

const RECORDERS = [
  recorder("today", "192.0.2.2", 64500, CAPABILITIES + "4104" + u32(64500)),
  recorder("two-octet", "192.0.2.3", 64501, "0104000100010200"),
  recorder("internal", "192.0.2.4", DAEMON_AS, CAPABILITIES + "4104" + u32(DAEMON_AS)),
];

interface Daemon {
  readonly name: string;
  readonly version: readonly [string, ...string[]];
  start(namespace: Namespace, folder: string): Promise<ChildProcess>;
  /** Once the sessions are up: routes that no file can hold, then a refresh, then a shutdown with a reason. */
  act(namespace: Namespace, folder: string): Promise<void>;
}

const frr: Daemon = {
  name: "frr",
  version: ["/usr/lib/frr/bgpd", "--version"],
  async start(namespace, folder) {
    const neighbors = RECORDERS.map(
      ({ address, asn, name }) => `
 neighbor ${address} remote-as ${asn}
 neighbor ${address} passive
 neighbor ${address} capability extended-nexthop
 ${name === "internal" ? "" : `neighbor ${address} local-role provider`}
 address-family ipv4 unicast
  neighbor ${address} activate
  neighbor ${address} soft-reconfiguration inbound
 exit-address-family
 address-family ipv6 unicast
  neighbor ${address} activate
 exit-address-family`,
    ).join("");
    writeFileSync(
      join(folder, "bgpd.conf"),
      `hostname r1
router bgp ${DAEMON_AS}
 bgp router-id ${DAEMON}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart${neighbors}
 address-family ipv4 unicast
  network 203.0.113.0/24 route-map rich
  network 198.51.100.0/25
  network 198.51.100.128/25
  network 0.0.0.0/0
  network 10.1.0.0/16
  aggregate-address 10.0.0.0/8 as-set
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:100::/48 route-map rich
  network 2001:db8:200::1/128
 exit-address-family
route-map rich permit 10
 set community 65535:0 64500:1 additive
 set large-community ${DAEMON_AS}:1:2
 set extcommunity rt 64500:1
 set metric 77
 set local-preference 300
 set as-path prepend 64501 4200000009
 set origin incomplete
`,
    );
    await run(["chown", "-R", "frr:frr", folder]);
    const args = ["-f", join(folder, "bgpd.conf"), "-i", join(folder, "pid"), "-z", join(folder, "none")];
    return namespace.spawn(["/usr/lib/frr/bgpd", ...args, "-Z", "-A", "127.0.0.1", "--vty_socket", folder], {
      stdio: "inherit",
    });
  },
  async act(namespace, folder) {
    const vtysh = async (...commands: string[]): Promise<void> => {
      await namespace.run(["vtysh", "--vty_socket", folder, ...commands.flatMap((command) => ["-c", command])]);
    };
    await vtysh("clear bgp ipv4 unicast 192.0.2.2 in");
    const config = ["configure terminal", `router bgp ${DAEMON_AS}`];
    await vtysh(...config, "address-family ipv4 unicast", "no network 10.1.0.0/16");
    await vtysh(...config, "address-family ipv6 unicast", "no network 2001:db8:200::1/128");
    await pause(500);
    for (const { address } of RECORDERS)
      await vtysh(...config, `neighbor ${address} shutdown message maintenance until 14:00 – café`);
  },
};

const birdName = (name: string): string => `session_${name.replace("-", "_")}`;

const bird: Daemon = {
  name: "bird",
  version: ["bird", "--version"],
  async start(namespace, folder) {
    const sessions = RECORDERS.map(
      ({ address, asn, name }) => `
protocol bgp ${birdName(name)} {
  local ${DAEMON} as ${DAEMON_AS};
  neighbor ${address} as ${asn};
  passive yes;
  ${name === "internal" ? "rr client;" : ""}
  enable extended messages yes;
  ipv4 { extended next hop yes; import all; export all; };
  ipv6 { import all; export all; next hop address 2001:db8::1; };
}`,
    ).join("");
    const rich = `{
    bgp_origin = ORIGIN_INCOMPLETE; bgp_med = 77; bgp_local_pref = 300;
    bgp_path.prepend(64501); bgp_path.prepend(4200000009);
    bgp_community.add((65535,0)); bgp_community.add((64500,1));
    bgp_ext_community.add((rt, 64500, 1)); bgp_large_community.add((${DAEMON_AS}, 1, 2));
  }`;
    writeFileSync(
      join(folder, "bird.conf"),
      `router id ${DAEMON};
protocol device {}
protocol static four {
  ipv4;
  route 203.0.113.0/24 blackhole ${rich};
  route 198.51.100.0/25 blackhole;
  route 0.0.0.0/0 blackhole;
}
protocol static six {
  ipv6;
  route 2001:db8:100::/48 blackhole ${rich};
  route 2001:db8:200::1/128 blackhole;
}${sessions}
`,
    );
    const args = ["-f", "-c", join(folder, "bird.conf"), "-s", join(folder, "ctl"), "-P", join(folder, "pid")];
    return await Promise.resolve(namespace.spawn(["bird", ...args], { stdio: "inherit" }));
  },
  async act(namespace, folder) {
    const birdc = async (...command: string[]): Promise<void> => {
      await namespace.run(["birdc", "-s", join(folder, "ctl"), ...command]);
    };
    await birdc("reload", "in", birdName("today"));
    await birdc("disable", "six");
    await pause(500);
    for (const { name } of RECORDERS) await birdc("disable", birdName(name), `"maintenance until 14:00"`);
  },
};

const gobgp: Daemon = {
  name: "gobgp",
  version: ["gobgpd", "--version"],
  async start(namespace, folder) {
    const neighbors = RECORDERS.map(
      ({ address, asn, name }) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${asn}
  [neighbors.transport.config]
    passive-mode = true
    local-address = "${DAEMON}"
  ${name === "internal" ? '[neighbors.route-reflector.config]\n    route-reflector-client = true\n    route-reflector-cluster-id = "192.0.2.9"' : ""}
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 120
    notification-enabled = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
`,
    ).join("");
    writeFileSync(
      join(folder, "gobgpd.toml"),
      `[global.config]\n  as = ${DAEMON_AS}\n  router-id = "${DAEMON}"\n${neighbors}`,
    );
    const args = ["-f", join(folder, "gobgpd.toml"), "--api-hosts", "127.0.0.1:50051"];
    return await Promise.resolve(namespace.spawn(["gobgpd", ...args, "-l", "error"], { stdio: "inherit" }));
  },
  async act(namespace) {
    const rich = ["origin", "incomplete", "med", "77", "local-pref", "300", "aspath", "64501,4200000009"];
    const communities = ["community", "65535:0,no-export", "large-community", `${DAEMON_AS}:1:2`, "rt", "64500:1"];
    const more = ["aggregator", `${DAEMON_AS}:192.0.2.9`, "aigp", "metric", "10"];
    const add = async (family: "ipv4" | "ipv6", ...words: string[]): Promise<void> => {
      await namespace.run(["gobgp", "global", "rib", "add", "-a", family, ...words]);
    };
    await add("ipv4", "203.0.113.0/24", ...rich, ...communities, ...more);
    await add("ipv4", "198.51.100.0/25");
    await add("ipv6", "2001:db8:100::/48", "nexthop", "2001:db8::1", ...rich, ...communities);
    await add("ipv6", "2001:db8:200::1/128", "nexthop", "2001:db8::1");
    await namespace.run(["gobgp", "global", "rib", "del", "-a", "ipv6", "2001:db8:200::1/128"]);
    await namespace.run(["gobgp", "global", "rib", "del", "-a", "ipv4", "198.51.100.0/25"]);
    await namespace.run(["gobgp", "neighbor", "192.0.2.2", "softresetin"]);
    await pause(500);
    for (const { address } of RECORDERS)
      await namespace.run(["gobgp", "neighbor", address, "shutdown", "--reason", "maintenance until 14:00"]);
  },
};

/** In the recorders' namespace: opens a session and prints each message received, in hexadecimal, until the daemon closes it. */
async function record({ address, open }: Recorder): Promise<void> {
  const message = (type: string, body: string): Buffer =>
    Buffer.from("ff".repeat(16) + u16(19 + body.length / 2) + type + body, "hex");
  const socket = connect({ host: DAEMON, port: 179, localAddress: address });
  await once(socket, "connect");
  socket.write(message("01", "04" + open));
  let pending = Buffer.alloc(0);
  let refreshed = false;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 19 && pending.length >= pending.readUInt16BE(16)) {
      const one = pending.subarray(0, pending.readUInt16BE(16));
      pending = pending.subarray(one.length);
      console.log(one.toString("hex"));
      if (one[18] !== 4) continue;
      socket.write(message("04", ""));
      if (!refreshed) socket.write(message("05", "00010001"));
      refreshed = true;
    }
  }
}

async function capture(daemon: Daemon): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "trivet-capture-"));
  const router = await Namespace.create("router");
  const peers = await Namespace.create("peers");
  try {
    const addresses = [...RECORDERS.map(({ address }) => `${address}/24`), "2001:db8::2/64"];
    await Namespace.link(router, { dev: "eth0", addresses: [`${DAEMON}/24`, "2001:db8::1/64"] }, peers, {
      dev: "eth0",
      addresses,
    });
    const { stdout, stderr } = await run(daemon.version);
    const version = (stdout || stderr).split("\n")[0]?.trim();
    await daemon.start(router, folder);
    await pause(2000);
    const sessions = RECORDERS.map((recorder) => {
      const child = peers.spawn([process.execPath, import.meta.filename, recorder.name], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const lines: Buffer[] = [];
      child.stdout?.on("data", (data: Buffer) => lines.push(data));
      return { recorder, lines, ended: once(child, "exit") };
    });
    await pause(8000);
    await daemon.act(router, folder);
    await Promise.race([Promise.all(sessions.map(({ ended }) => ended)), pause(5000)]);
    const text = sessions.map(
      ({ recorder, lines }) => `# session: ${recorder.name}\n${Buffer.concat(lines).toString()}`,
    );
    const header = `# What ${version} of Debian 12 sent to three recorders (scripts/capture-bgp.ts), a message a line.\n`;
    mkdirSync(FIXTURES, { recursive: true });
    writeFileSync(join(FIXTURES, `${daemon.name}.hex`), header + text.join(""));
  } finally {
    await router.remove();
    await peers.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

const only = process.argv[2];
const asked = RECORDERS.find(({ name }) => name === only);
if (asked !== undefined) await record(asked);
else for (const daemon of [frr, bird, gobgp]) if (only === undefined || only === daemon.name) await capture(daemon);
