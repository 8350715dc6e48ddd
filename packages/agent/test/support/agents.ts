import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PeerRoute, Speaker } from "@trivet/bgp";
import { SimulatedCluster } from "@trivet/lab";
import { AgentClient } from "../../src/api/client.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { createLogger } from "../../src/daemon/log.ts";

/** The seeds' cluster, simulated, with real agents and a real router on loopback. */
export class World implements AsyncDisposable {
  readonly cluster: SimulatedCluster;
  readonly router: Speaker;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "trivet-agents-"));
  readonly #agents = new Map<string, Agent>();

  private constructor(cluster: SimulatedCluster, router: Speaker) {
    this.cluster = cluster;
    this.router = router;
    this.#port = router.listening()[0]?.port ?? 0;
  }

  static async create(): Promise<World> {
    const router = new Speaker({
      asn: 65000,
      routerId: "192.0.2.254",
      listen: [{ address: "127.0.0.1", port: 0 }],
      ranges: [{ prefix: "127.0.0.0/8", asn: 65010, gracefulRestart: { restartTime: 5 } }],
    });
    await router.start();
    return new World(await SimulatedCluster.start(), router);
  }

  /** Starts a server's agent; resolves when it announces. @param more lines of agent.yaml */
  async start(server: string, more: string): Promise<{ agent: Agent; ask: AgentClient }> {
    const { servers } = this.cluster.scene;
    const number = servers.indexOf(server) + 1;
    const sockets = servers.map((name) => `${name}: ${this.#folder}/${name}.sock`).join(", ");
    const yaml = `asn: 65010
routerId: 192.0.2.${number}
peers: [{address: 127.0.0.1, port: ${this.#port}, asn: 65000, localAddress: ${this.#session(server)}}]
allow: [203.0.113.0/27, "2001:db8::/48"]
lxd: {socket: ${this.cluster.socket(server)}, timeout: 2}
api: {socket: ${this.#folder}/${server}.sock, tls: {enabled: false}, servers: {${sockets}}}
${more}`;
    const agent = new Agent(parseConfig("agent.yaml", yaml), { log: createLogger("silent", "test"), version: "test" });
    this.#agents.set(server, agent);
    const ready = once(agent, "ready");
    await agent.start();
    await ready;
    return { agent, ask: new AgentClient(`${this.#folder}/${server}.sock`) };
  }

  async stop(server: string, how: "goodbye" | "handover" = "goodbye"): Promise<void> {
    await this.#agents.get(server)?.stop(how);
    this.#agents.delete(server);
  }

  /** What the router has of a prefix, from one server's agent. */
  route(server: string, prefix: string): PeerRoute | undefined {
    return this.routes(server).find((route) => route.prefix.toString() === prefix);
  }

  /** All that the router has from one server's agent. */
  routes(server: string): PeerRoute[] {
    const local = this.#session(server);
    return this.router
      .sessions()
      .filter(({ address }) => address === local)
      .flatMap(({ peer }) => [...this.router.adjRibIn(peer)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#agents.keys()) await this.stop(server);
    await this.router.stop();
    await this.cluster.stop();
    rmSync(this.#folder, { recursive: true });
  }

  #session(server: string): string {
    return `127.98.1.${this.cluster.scene.servers.indexOf(server) + 1}`;
  }
}
