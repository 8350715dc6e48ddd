import { EventEmitter } from "node:events";
import { dirname, join } from "node:path";
import type { SessionStatus } from "@trivet/bfd";
import { CeaseReason, Speaker, type SessionInfo } from "@trivet/bgp";
import { LxdClient } from "@trivet/lxd";
import { Announcer, type Announcement } from "../announce/announce.ts";
import type { Condition } from "../announce/condition.ts";
import { diffRoutes } from "../announce/diff.ts";
import { ApiServer } from "../api/server.ts";
import { announceConfig, findRouterId, peerOptions, speakerOptions } from "../config/convert.ts";
import type { AgentConfig } from "../config/schema.ts";
import { Inventory, type InventoryHealth } from "../inventory/inventory.ts";
import type { Snapshot } from "../inventory/snapshot.ts";
import { isLedgerProfile } from "../resolve/ledger.ts";
import { DnsService } from "../resolve/service.ts";
import { Liveness } from "./liveness.ts";
import type { Logger } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { ranSinceBoot } from "./restart.ts";
import type { AgentEvents, AgentState } from "./state.ts";
import { logAnnouncement, logSessions } from "./telling.ts";

/** LXD gives this server another name than the configuration. */
export class WrongServerError extends Error {
  override readonly name = "WrongServerError";
  readonly fault = "input";

  constructor(configured: string, actual: string) {
    super(
      `this server is ${actual}, but agent.yaml is for ${configured}; install the file of ${actual}, or correct \`server\``,
    );
  }
}

/**
 * The daemon: the inventory's newest Snapshot, what is announced of it, the BGP speaker that announces it, and the API that shows it.
 *
 * Sessions begin at once, so that routers which keep the routes over a restart are met in time; End-of-RIB is held until LXD was read
 * in full, so that they do not drop what was not read yet.
 */
export class Agent extends EventEmitter<AgentEvents> implements AgentState {
  readonly version: string;
  readonly startedAt = Date.now();
  readonly #log: Logger;
  readonly #lxd: LxdClient;
  readonly #inventory: Inventory;
  readonly #metrics: Metrics;
  readonly #api: ApiServer;
  #config: AgentConfig;
  #announcer: Announcer;
  /** What the speaker has. */
  #announcement: Announcement = { routes: new Map(), refused: [], problems: [] };
  #speaker: Speaker | undefined;
  readonly #dns: DnsService | undefined;
  readonly #liveness: Liveness;
  /** Each capability that has a say in what is announced adds its own, and calls `#reconsider` when its mind changes. */
  readonly #conditions: readonly Condition[] = [];
  #started = false;
  #ready = false;
  #draining = false;

  /** Opens nothing yet. @throws UnreachableError when there is neither a configured nor a usual LXD socket */
  constructor(config: AgentConfig, world: { readonly log: Logger; readonly version: string }) {
    super();
    this.#config = config;
    this.#log = world.log;
    this.version = world.version;
    const { socket: socketPath, timeout, resync } = config.lxd;
    this.#lxd = socketPath === undefined ? LxdClient.local() : new LxdClient({ socketPath });
    this.#inventory = new Inventory(this.#lxd, { timeout: timeout * 1000, resync: resync * 1000 });
    this.#announcer = new Announcer(announceConfig(config));
    this.#dns = config.dns && new DnsService(config.dns, this.#lxd, this.#log);
    this.#liveness = new Liveness(this.#log, (peer) => this.#speaker?.resetPeer(peer, CeaseReason.BfdDown));
    this.#metrics = new Metrics(this);
    this.#api = new ApiServer(this, { metrics: this.#metrics, lxdSocket: this.#lxd.name, log: this.#log });
  }

  get config(): AgentConfig {
    return this.#config;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get snapshot(): Snapshot | undefined {
    return this.#inventory.snapshot;
  }

  get health(): InventoryHealth {
    return this.#inventory.health;
  }

  get announcement(): Announcement {
    return this.#announcement;
  }

  get dns(): DnsService | undefined {
    return this.#dns;
  }

  async bfdSessions(): Promise<readonly SessionStatus[]> {
    return await this.#liveness.sessions();
  }

  sessions(): SessionInfo[] {
    return this.#speaker?.sessions() ?? [];
  }

  /** Resolves when the API and the BGP listeners stand; `ready` comes later. */
  async start(): Promise<void> {
    const routerId = await findRouterId(this.#config);
    await this.#api.start();
    const restarting = ranSinceBoot(join(dirname(this.#config.api.socket), "boot-id"));
    const speaker = new Speaker(speakerOptions(this.#config, routerId, restarting));
    this.#speaker = speaker;
    speaker.on("session", (event) => this.emit("session", event));
    logSessions(this.#log, speaker);
    await this.#liveness.watch(this.#config.peers);
    await speaker.start();
    this.#log.info({ asn: this.#config.asn, routerId, restarting, peers: speaker.sessions().length }, "BGP started");
    this.#inventory.on("snapshot", (snapshot) => this.#take(snapshot));
    this.#inventory.on("health", (health) => this.#tellHealth(health));
    this.#inventory.on("read", (what, milliseconds, failed) => this.#metrics.countRead(what, milliseconds, failed));
    this.#inventory.on("profile", (name) => {
      if (name === undefined || isLedgerProfile(name)) this.#dns?.ledgerChanged();
    });
    await this.#dns?.start();
    this.#inventory.start();
    this.#started = true;
  }

  /**
   * Ends everything, in order.
   *
   * @param how `goodbye` withdraws: routers forget the routes at once. `handover` closes the sessions without a word, so that routers
   *   keep the routes for the agent's successor (where graceful restart is on)
   */
  async stop(how: "goodbye" | "handover"): Promise<void> {
    const handover = how === "handover" && this.#config.gracefulRestart.enabled;
    if (this.#started) this.#log.info({ routes: handover ? "kept by the routers" : "withdrawn" }, "stopping");
    await this.#inventory.stop();
    await this.#dns?.stop();
    await this.#liveness.stop();
    if (handover) await this.#speaker?.detach();
    else await this.#speaker?.stop("the agent stops");
    await this.#api.stop();
    await this.#lxd.close();
  }

  /** Takes over what of a new configuration can change while running. @returns the keys that need a restart */
  reload(config: AgentConfig): string[] {
    const fixed = ["asn", "routerId", "listen", "lxd", "api", "server", "dns"] as const;
    const changed = fixed.filter((key) => JSON.stringify(config[key]) !== JSON.stringify(this.#config[key]));
    const next = { ...config, ...Object.fromEntries(fixed.map((key) => [key, this.#config[key]])) };
    // First what may refuse.
    this.#speaker?.setPeers(peerOptions(next));
    this.#liveness.watch(next.peers).catch((error: unknown) => this.emit("fatal", error as Error));
    this.#config = next;
    this.#announcer = new Announcer(announceConfig(next));
    this.#log.level = next.log;
    this.#reconsider();
    return changed;
  }

  /** Graceful shutdown (RFC 8326) before maintenance: routers prefer other paths while these still work; and back. */
  drain(on: boolean): void {
    if (on) this.#speaker?.drain();
    else this.#speaker?.undrain();
    this.#draining = on;
    this.#log.info(on ? "draining: routers are asked to prefer other paths" : "no longer draining");
  }

  #take(snapshot: Snapshot): void {
    const { server } = this.#config;
    if (server !== undefined && server !== snapshot.server) {
      this.emit("fatal", new WrongServerError(server, snapshot.server));
      return;
    }
    this.#announce(snapshot);
    this.#dns?.take(snapshot);
    this.emit("snapshot", snapshot);
    if (this.#ready) return;
    this.#ready = true;
    this.#speaker?.releaseEndOfRib();
    this.#log.info(
      { server: snapshot.server, instances: snapshot.instances.size, routes: this.#announcement.routes.size },
      "ready",
    );
    this.emit("ready");
  }

  /** Announces anew what is known, because the configuration or a condition changed. */
  #reconsider(): void {
    if (this.snapshot !== undefined) this.#announce(this.snapshot);
  }

  #announce(snapshot: Snapshot): void {
    const began = performance.now();
    const before = this.#announcement;
    this.#announcement = this.#announcer.announce(snapshot, this.#conditions);
    const diff = diffRoutes(before.routes, this.#announcement.routes);
    this.#speaker?.update({ announce: diff.announced, withdraw: diff.withdrawn.map(({ prefix }) => prefix) });
    this.#metrics.announceSeconds.observe((performance.now() - began) / 1000);
    logAnnouncement(this.#log, diff, before.problems, this.#announcement.problems);
    if (diff.announced.length > 0 || diff.withdrawn.length > 0) this.emit("routes", diff);
  }

  #tellHealth(health: InventoryHealth): void {
    if (health.error !== undefined)
      this.#log.warn({ error: health.error }, "LXD cannot be read or followed; what was last known stands");
    else if (health.connected) this.#log.info("following LXD");
    this.emit("health", health);
  }
}
