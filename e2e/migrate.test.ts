import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ASN,
  type AnnouncedRoute,
  type Lab,
  type Probe,
  announcedRoutes,
  expectedRoutes,
  routerShow,
  startProbe,
} from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NEEDS, healthy, sharedLab, table } from "./lab.ts";
import { type RouteWatch, watchRoutes } from "./route-watch.ts";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../docs/existing-cluster.md"), "utf8");

/** The commands and files that a section of docs/existing-cluster.md shows, in order. */
function blocks(section: string): string[] {
  const text = DOCUMENT.split(`## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...text.matchAll(/^```\w*\n([^]*?)^```/gm)].map(([, block]) => block ?? "");
}

const MOVES = { programs: [...NEEDS.programs, "gobgpd", "gobgp"] };
/** Milliseconds that a state may take to come about. */
const PATIENCE = 180_000;
/** Milliseconds that a flow may pause: a busy machine loses packets by itself; a route that is away for a shorter time is heard. */
const GAP = 1000;
const PROGRAM = "/srv/trivet/packages/cli/src/main.ts";
const UPLINK = "INFRA-UPLINK";
/** The agent's address meanwhile, on the i-th server. */
const second = (i: number): string => `10.10.101.${200 + i}`;

describeLab("the moves of docs/existing-cluster.md, on three real servers", MOVES, () => {
  let lab: Lab;
  let routers: readonly string[];
  /** What the lab's agents announce, before. */
  let announced: AnnouncedRoute[];
  let probe: Probe;
  let watch: RouteWatch;

  /** What puts the lab back as it was, last first. */
  let undo: (() => Promise<unknown>)[];

  beforeEach(async () => {
    lab = await sharedLab();
    routers = lab.topology.servers.map(({ router }) => router.hosts4);
    announced = await announcedRoutes(lab, "frr01");
    undo = [];
    for (const server of lab.servers) {
      await server.sh(`cp -a /etc/trivet/agent.yaml /root/agent.yaml
        systemctl disable -q trivet-agent; systemctl kill -s INT trivet-agent; systemctl stop trivet-agent
        rm -rf /run/trivet`);
      undo.push(
        async () =>
          await server.sh(`mv /root/agent.yaml /etc/trivet/
            systemctl enable -q trivet-agent; systemctl restart trivet-agent`),
      );
    }
  }, 600_000);
  afterEach(async () => {
    for (const step of undo.toReversed()) await step();
    await healthy(lab);
  }, 600_000);

  /** Every router has the routes that it has in a healthy lab, from the servers' first addresses, whoever announces them. */
  async function complete(): Promise<void> {
    for (const { router } of lab.topology.servers)
      await eventually(
        `${router.name} has the routes`,
        async () => (await table(lab, router.name)).join("\n") === expectedRoutes(lab.topology).join("\n"),
        PATIENCE,
      );
  }

  /** From now on no route may go, and no flow of packets pause. */
  async function begin(): Promise<void> {
    await complete();
    watch = await watchRoutes(lab, [...new Set(announced.map(({ prefix }) => prefix))]);
    // An LXD that was just restarted does not tell all addresses of its instances at once.
    probe = await eventually("the services have addresses", async () => await startProbe(lab, { interval: 20 }));
  }

  async function end(): Promise<void> {
    const { flows } = await probe.stop();
    expect(await watch.stop()).toEqual([]);
    expect(flows.length).toBeGreaterThan(5);
    expect(flows.filter(({ longestGap }) => (longestGap?.milliseconds ?? 0) > GAP)).toEqual([]);
  }

  /** Who else than the agent has BGP on a server. */
  async function others(server: string): Promise<string> {
    return await lab.server(server).sh("ss -Htnap '( sport = :179 or dport = :179 )' | grep -E 'lxd|gobgpd' || true");
  }

  test("from lxd-bgp, in whose place GoBGP is", async () => {
    const [commands = ""] = blocks("Moving from lxd-bgp");
    for (const server of lab.servers) {
      const root = `/proc/${await server.pid()}/root`;
      for (const program of ["gobgpd", "gobgp"])
        copyFileSync(`/usr/bin/${program}`, `${root}/usr/local/bin/${program}`);
      await server.write("/etc/gobgpd.toml", lxdBgp(server.plan.hosts4, routers));
      undo.push(async () => await server.sh("systemctl stop lxd-bgp || true"));
      // lxd-bgp handles no signal: it ends without a word to its peers.
      await server.sh(`systemd-run -q --collect --unit lxd-bgp -p KillSignal=SIGKILL gobgpd -f /etc/gobgpd.toml
        until gobgp global >/dev/null 2>&1; do sleep 0.2; done`);
      const routes = announced.filter((route) => route.server === server.name);
      const add = ({ prefix, nextHop }: AnnouncedRoute): string =>
        `gobgp global rib add -a ipv${prefix.includes(":") ? 6 : 4} ${prefix} nexthop ${nextHop}`;
      await server.sh(routes.map(add).join("\n"));
      await server.write("/etc/trivet/agent.yaml", agentYaml(routers), 0o600);
    }
    await begin();
    for (const server of lab.servers) {
      await server.sh(inLab(commands).replace("snap stop --disable", "systemctl stop"));
      await complete();
    }
    await end();
    for (const { name } of lab.servers) expect(await others(name)).toBe("");
  }, 900_000);

  test("from LXD's own BGP", async () => {
    const [frr = "", yaml = "", start = "", , router = "", off = ""] = blocks("Moving from LXD's or Incus' own BGP");
    const { servers } = lab.topology;
    await lxdsOwn(router, off);
    await begin();

    expect(yaml).toContain("localAddress: 192.0.2.111");
    const neighbors = inLab(frr).replaceAll(/192\.0\.2\.11(\d)/g, (_, n) => second(Number(n) - 1));
    for (const [i, server] of lab.servers.entries()) {
      undo.push(async () => {
        await configure(i, neighbors.replaceAll(/(neighbor \S+) .*/g, "no $1"));
        await server.sh(`ip address del ${second(i)}/24 dev br-hosts`);
      });
      await configure(i, neighbors);
      await server.write("/etc/trivet/agent.yaml", agentYaml(routers, second(i)), 0o600);
    }
    for (const [i, server] of lab.servers.entries()) {
      await server.sh(inLab(start).replace("192.0.2.111", second(i)));
      for (const {
        router: { name },
      } of servers)
        await eventually(`${name} has what both announce`, async () => await bothAnnounce(name, i), PATIENCE);
    }
    for (const {
      router: { name },
    } of servers)
      await lab.first.sh(inLab(router).replaceAll("ROUTER", name));
    for (const { name } of servers) await lab.first.sh(`set +e\n${inLab(off).replaceAll("SERVER", name)}\ntrue`);
    await restartLxd();
    for (const { name } of servers) {
      expect(await others(name)).toBe("");
      expect(await lab.server(name).sh("lxc config get core.bgp_asn")).toMatch(/^0?\n$/);
    }
    await end();
  }, 900_000);

  /** Gives LXD its own BGP, in the agents' place. What the document takes it away with is done again at the end, however the test ends. */
  async function lxdsOwn(router: string, off: string): Promise<void> {
    const { servers } = lab.topology;
    undo.push(async () => {
      const all = servers.flatMap(({ name, router: r }) => [
        inLab(router).replaceAll("ROUTER", r.name),
        inLab(off).replaceAll("SERVER", name),
      ]);
      await lab.first.sh(`set +e\n${all.join("\n")}\ntrue`);
      await restartLxd();
    });
    for (const {
      router: { name, hosts4 },
    } of servers)
      await lab.first.sh(
        `lxc network set ${UPLINK} bgp.peers.${name}.address=${hosts4} bgp.peers.${name}.asn=${ASN.cluster}`,
      );
    for (const { name, hosts4 } of servers)
      await lab.first.sh(`lxc config set core.bgp_routerid=${hosts4} core.bgp_address=${hosts4} --target ${name}`);
    // LXD 5.0 answers this with an error, stores it all the same, and has BGP after its next start.
    await lab.first.sh(`lxc config set core.bgp_asn=${ASN.agents} || true`);
    await restartLxd();
  }

  /** Types lines into the configuration of the i-th router. */
  async function configure(i: number, lines: string): Promise<void> {
    const { name, router } = lab.topology.servers[i] as Lab["topology"]["servers"][number];
    await lab
      .server(name)
      .exec(["lxc", "exec", router.name, "--", "vtysh"], { input: `configure terminal\n${lines}\n` });
  }

  /** Whether a router has the same routes from both of the i-th server's addresses. */
  async function bothAnnounce(router: string, i: number): Promise<boolean> {
    const from = async (address: string): Promise<string[]> => {
      const tables = await Promise.all(
        ["ipv4", "ipv6"].map(
          async (family) =>
            await routerShow(lab, router, `show bgp ${family} unicast neighbors ${address} routes json`),
        ),
      );
      return tables.flatMap((text) => Object.keys((JSON.parse(text) as { routes: object }).routes)).toSorted();
    };
    const daemon = await from(lab.topology.servers[i]?.hosts4 ?? "");
    return daemon.length > 0 && (await from(second(i))).join() === daemon.join();
  }

  async function restartLxd(): Promise<void> {
    for (const server of lab.servers) await server.sh("systemctl restart lxd");
  }
});

/** A block of the document with the lab's names and numbers; `trivet` is on no path there. */
function inLab(text: string): string {
  return text
    .replaceAll("trivet agent", `/srv/node ${PROGRAM} agent`)
    .replaceAll("trivet routes", `/srv/node ${PROGRAM} routes`)
    .replaceAll("UPLINK", UPLINK)
    .replaceAll("65000", String(ASN.cluster))
    .replaceAll("CLUSTER", "AGENTS");
}

/** The three lines. */
function agentYaml(routers: readonly string[], localAddress?: string): string {
  const local = localAddress === undefined ? "" : `, localAddress: ${localAddress}`;
  const peers = routers.map((address) => `{ address: ${address}, asn: ${ASN.cluster}${local} }`);
  return `asn: ${ASN.agents}\npeers: [${peers.join(", ")}]\nallow: [203.0.113.0/27, "2001:db8:1000::/48"]\n`;
}

/** What lxd-bgp tells GoBGP, which it is made of. */
function lxdBgp(routerId: string, routers: readonly string[]): string {
  const family = (name: string): string => `
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${name}"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true`;
  const neighbor = (address: string): string => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${ASN.cluster}
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 4
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 120${family("ipv4-unicast")}${family("ipv6-unicast")}
`;
  return `[global.config]\n  as = ${ASN.agents}\n  router-id = "${routerId}"\n${routers.map(neighbor).join("")}`;
}
