import { Router, type RouterTable } from "./router.ts";

/** BIRD 2. */
export class Bird extends Router {
  protected readonly daemon = "bird";

  async start(): Promise<void> {
    this.spawn(
      "bird",
      "-f",
      "-c",
      this.write("bird.conf", this.#config()),
      "-s",
      this.path("bird.ctl"),
      "-P",
      this.path("pid"),
    );
    await this.ready(() => this.birdc("show status"));
  }

  /** Runs a command of BIRD's shell. */
  async birdc(command: string): Promise<string> {
    return await this.command("birdc", "-s", this.path("bird.ctl"), command);
  }

  async sessionState(neighbor: string): Promise<string> {
    const text = await this.birdc(`show protocols all ${this.#name(neighbor)}`);
    return (/BGP state:\s+(\S+)/.exec(text)?.[1] ?? "unknown").toLowerCase();
  }

  async routes(family: 4 | 6): Promise<RouterTable> {
    const text = await this.birdc(`show route table master${family} all where source = RTS_BGP`);
    const table = new Map<string, string[]>();
    let prefix = "";
    for (const line of text.split("\n")) {
      prefix = /^([0-9a-f.:]+\/\d+)\s/.exec(line)?.[1] ?? prefix;
      // A link-local next hop alone stands beside an unspecified global one.
      const hop = /BGP\.next_hop: (?::: )?(\S+)/.exec(line)?.[1];
      if (hop !== undefined) table.set(prefix, [...(table.get(prefix) ?? []), hop]);
    }
    return table;
  }

  async refresh(neighbor: string): Promise<void> {
    await this.birdc(`reload in ${this.#name(neighbor)}`);
  }

  #name(neighbor: string): string {
    return `peer${this.options.neighbors.findIndex(({ address }) => address === neighbor)}`;
  }

  #config(): string {
    const { asn, routerId, neighbors, announce = [], extra = "" } = this.options;
    const lines = [`log "${this.path("log")}" all;`, `router id ${routerId};`, "protocol device {}"];
    if (neighbors.some(({ bfd }) => bfd === true))
      lines.push('protocol bfd { interface "*" { interval 100 ms; multiplier 3; }; }');
    for (const family of [4, 6] as const) {
      const statics = announce.filter((prefix) => prefix.includes(":") === (family === 6));
      lines.push(
        `protocol static static${family} { ipv${family}; ${statics.map((p) => `route ${p} blackhole;`).join(" ")} }`,
      );
    }
    for (const { address, asn: remote, holdTime = 90, families = [4, 6], ...neighbor } of neighbors) {
      const [host = "", zone] = address.split("%");
      lines.push(
        `protocol bgp ${this.#name(address)} {`,
        `  local as ${asn};`,
        `  neighbor ${host} as ${remote};`,
        `  hold time ${holdTime};`,
        "  connect delay time 0; connect retry time 1; error wait time 1, 2; error forget time 1;",
      );
      if (zone !== undefined) lines.push(`  interface "${zone}";`);
      if (neighbor.passive === true) lines.push("  passive on;");
      if (neighbor.password !== undefined) lines.push(`  password "${neighbor.password}";`);
      if (neighbor.ttlSecurity === true) lines.push("  ttl security on;");
      if (neighbor.bfd === true) lines.push("  bfd on;");
      for (const family of families) {
        const hop = neighbor.extendedNextHop === true && family === 4 ? " extended next hop on;" : "";
        lines.push(`  ipv${family} { import all; export where source = RTS_STATIC;${hop} };`);
      }
      lines.push("}");
    }
    return [...lines, extra, ""].join("\n");
  }
}
