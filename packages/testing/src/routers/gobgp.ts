import { Router, type RouterTable } from "./router.ts";

interface Path {
  readonly attrs: readonly { readonly type: number; readonly nexthop?: string }[];
}

const STATES = ["unknown", "idle", "connect", "active", "opensent", "openconfirm", "established"];
const NEXT_HOP = 3;
const MP_REACH_NLRI = 14;

/** GoBGP. */
export class GoBgp extends Router {
  protected readonly daemon = "gobgpd";

  async start(): Promise<void> {
    this.spawn("gobgpd", "-f", this.write("gobgpd.toml", this.#config()), "--api-hosts", "127.0.0.1:50051");
    await this.ready(() => this.gobgp("global"));
    for (const prefix of this.options.announce ?? []) {
      const family = prefix.includes(":") ? "ipv6" : "ipv4";
      await this.gobgp("global", "rib", "add", prefix, "-a", family);
    }
  }

  /** Runs GoBGP's command. */
  async gobgp(...args: readonly string[]): Promise<string> {
    return await this.command("gobgp", ...args);
  }

  async sessionState(neighbor: string): Promise<string> {
    const { state } = JSON.parse(await this.gobgp("-j", "neighbor", neighbor)) as {
      state: { session_state?: number | string };
    };
    const { session_state: session = 0 } = state;
    return typeof session === "number" ? (STATES[session] ?? "unknown") : session.toLowerCase();
  }

  async routes(family: 4 | 6): Promise<RouterTable> {
    const table = JSON.parse(await this.gobgp("-j", "global", "rib", "-a", `ipv${family}`)) as Record<string, Path[]>;
    const announced = new Set(this.options.announce);
    return new Map(
      Object.entries(table)
        .filter(([prefix]) => !announced.has(prefix))
        .map(([prefix, paths]) => [prefix, nextHopsOf(paths)]),
    );
  }

  override async count(family: 4 | 6): Promise<number> {
    const text = await this.gobgp("global", "rib", "summary", "-a", `ipv${family}`);
    const own = (this.options.announce ?? []).filter((prefix) => prefix.includes(":") === (family === 6));
    return Number(/Destination: (\d+)/.exec(text)?.[1]) - own.length;
  }

  override async nextHops(prefix: string): Promise<readonly string[]> {
    const family = prefix.includes(":") ? "ipv6" : "ipv4";
    const answer = await this.gobgp("-j", "global", "rib", prefix, "-a", family);
    if (!answer.startsWith("{")) return []; // "Network not in table"
    return nextHopsOf(Object.values(JSON.parse(answer) as Record<string, Path[]>)[0] ?? []);
  }

  refresh(): Promise<void> {
    return Promise.reject(
      new Error("GoBGP has no command that sends ROUTE-REFRESH; softresetin only looks at what it has"),
    );
  }

  #config(): string {
    const { asn, routerId, neighbors, extra = "" } = this.options;
    const lines = ["[global.config]", `  as = ${asn}`, `  router-id = "${routerId}"`];
    for (const { address, asn: remote, families = [4, 6], holdTime = 90, ...neighbor } of neighbors) {
      lines.push(
        "[[neighbors]]",
        "  [neighbors.config]",
        `    neighbor-address = "${address}"`,
        `    peer-as = ${remote}`,
        ...(neighbor.password === undefined ? [] : [`    auth-password = "${neighbor.password}"`]),
        "  [neighbors.timers.config]",
        `    hold-time = ${holdTime}`,
        `    keepalive-interval = ${Math.floor(holdTime / 3)}`,
        "    connect-retry = 1",
        "    idle-hold-time-after-reset = 1",
        "  [neighbors.transport.config]",
        `    passive-mode = ${neighbor.passive === true}`,
      );
      if (neighbor.ttlSecurity === true)
        lines.push("  [neighbors.ttl-security.config]", "    enabled = true", "    ttl-min = 255");
      for (const family of families)
        lines.push(
          "  [[neighbors.afi-safis]]",
          "    [neighbors.afi-safis.config]",
          `      afi-safi-name = "ipv${family}-unicast"`,
        );
    }
    return [...lines, extra, ""].join("\n");
  }
}

function nextHopsOf(paths: readonly Path[]): string[] {
  return paths.map(({ attrs }) => attrs.find(({ type }) => type === NEXT_HOP || type === MP_REACH_NLRI)?.nexthop ?? "");
}
