import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { Router, type RouterTable } from "./router.ts";

/** FRR's bgpd with zebra; more daemons, as `bfdd`, may be asked for. */
export class Frr extends Router {
  protected readonly daemon = "bgpd";
  /** Further daemons of FRR to run. */
  daemons: readonly string[] = [];

  async start(): Promise<void> {
    const config = this.write("frr.conf", this.#config());
    chmodSync(this.folder, 0o755);
    execFileSync("chown", ["-R", "frr:frr", this.folder]);
    const sockets = ["--vty_socket", this.folder, "-z", this.path("zserv.api")];
    for (const name of ["zebra", ...this.daemons, "bgpd"]) {
      const log = ["--log", `file:${this.path("log")}`];
      this.spawn(name, "-f", config, ...sockets, "-i", this.path(`${name}.pid`), "-P", "0", ...log);
      // The others connect to zebra.
      await this.ready(() => this.vtysh("show version", name));
    }
  }

  /** Runs commands of FRR's shell. */
  async vtysh(command: string, daemon?: string): Promise<string> {
    const only = daemon === undefined ? [] : ["-d", daemon];
    return await this.command("vtysh", "--vty_socket", this.folder, ...only, "-c", command);
  }

  async sessionState(neighbor: string): Promise<string> {
    const peers = JSON.parse(await this.vtysh(`show bgp neighbors ${this.#name(neighbor)} json`)) as Record<
      string,
      { bgpState?: string }
    >;
    return (Object.values(peers)[0]?.bgpState ?? "unknown").toLowerCase();
  }

  async routes(family: 4 | 6): Promise<RouterTable> {
    const text = await this.vtysh(`show bgp ipv${family} unicast json`);
    const { routes = {} } = JSON.parse(text) as {
      routes?: Record<string, { peerId: string; bestpath?: unknown; nexthops: { ip: string; scope?: string }[] }[]>;
    };
    return new Map(
      Object.entries(routes)
        .map(([prefix, paths]): [string, string[]] => [
          prefix,
          paths
            .filter(({ peerId }) => peerId !== "(unspec)")
            .toSorted((a, b) => Number(b.bestpath ?? 0) - Number(a.bestpath ?? 0))
            .map(({ nexthops }) => nexthops[0]?.ip ?? ""),
        ])
        .filter(([, paths]) => paths.length > 0),
    );
  }

  async refresh(neighbor: string): Promise<void> {
    await this.vtysh(`clear bgp ${this.#name(neighbor)} soft in`);
  }

  /** A link-local neighbour goes by its bare address; its interface is configured. */
  #name(neighbor: string): string {
    return neighbor.split("%")[0] ?? neighbor;
  }

  #config(): string {
    const { asn, routerId, neighbors, announce = [], extra = "" } = this.options;
    const lines = [
      "hostname frr",
      `router bgp ${asn}`,
      ` bgp router-id ${routerId}`,
      " no bgp ebgp-requires-policy",
      " no bgp default ipv4-unicast",
      " no bgp network import-check",
    ];
    for (const { address, asn: remote, holdTime = 90, ...neighbor } of neighbors) {
      const name = this.#name(address);
      const add = (text: string): void => void lines.push(` neighbor ${name} ${text}`);
      const [, zone] = address.split("%");
      add(`remote-as ${remote}`);
      if (zone !== undefined) add(`interface ${zone}`);
      add(`timers ${Math.floor(holdTime / 3)} ${holdTime}`);
      add("timers connect 1");
      add("advertisement-interval 0");
      if (neighbor.passive === true) add("passive");
      if (neighbor.extendedNextHop === true) add("capability extended-nexthop");
      if (neighbor.password !== undefined) add(`password ${neighbor.password}`);
      if (neighbor.ttlSecurity === true) add("ttl-security hops 1");
      if (neighbor.bfd === true) add("bfd");
    }
    for (const family of [4, 6] as const) {
      lines.push(` address-family ipv${family} unicast`);
      for (const { address, families = [4, 6] } of neighbors)
        if (families.includes(family)) lines.push(`  neighbor ${this.#name(address)} activate`);
      for (const prefix of announce) if (prefix.includes(":") === (family === 6)) lines.push(`  network ${prefix}`);
      lines.push(" exit-address-family");
    }
    return [...lines, "exit", extra, ""].join("\n");
  }
}
