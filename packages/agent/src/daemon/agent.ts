import { EventEmitter } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SessionStatus } from "@trivet/bfd";
import type { SessionInfo } from "@trivet/bgp";
import { LxdClient } from "@trivet/lxd";
import { Announcer, type Announcement } from "../announce/announce.ts";
import type { Problem } from "../announce/candidate.ts";
import type { Condition } from "../announce/condition.ts";
import { diffRoutes } from "../announce/diff.ts";
import { ApiServer } from "../api/server.ts";
import { announceConfig } from "../config/convert.ts";
import type { AgentConfig } from "../config/schema.ts";
import { type DrainView, Drains } from "../drain/drains.ts";
import { type Ordered, isOrdered, order, prefixesOf } from "../drain/order.ts";
import type { Drainable } from "../drain/target.ts";
import { pathsOf } from "../gateway/paths.ts";
import { GatewayWatch } from "../gateway/watch.ts";
import { healthConfig } from "../health/config.ts";
import { Health } from "../health/health.ts";
import { systemProbe } from "../health/probes/probe.ts";
import { Inventory, type InventoryHealth } from "../inventory/inventory.ts";
import type { Snapshot } from "../inventory/snapshot.ts";
import { isLedgerProfile } from "../resolve/ledger.ts";
import { DnsService } from "../resolve/service.ts";
import { Liveness } from "./liveness.ts";
import type { Logger } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { Routers } from "./routers.ts";
import { StateFile } from "./state-file.ts";
import type { AgentEvents, AgentState } from "./state.ts";
import { logAnnouncement } from "./telling.ts";

/** What the agent is started with, besides its configuration. */
export interface AgentWorld {
  readonly log: Logger;
  readonly version: string;
  /** A folder for what is worth keeping over a restart; without one nothing is kept. */
  readonly stateFolder?: string | undefined;
}

/** Milliseconds for routers to learn that the agent's own services end, while they are still answered. */
const RETIREMENT = 300;

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
 * in full and the first health checks told, so that they do not drop what was not read or checked yet.
 */
export class Agent extends EventEmitter<AgentEvents> implements AgentState {
  readonly version: string;
  readonly startedAt = Date.now();
  readonly #log: Logger;
  readonly #stateFolder: string | undefined;
  readonly #lxd: LxdClient;
  readonly #inventory: Inventory;
  readonly #metrics: Metrics;
  readonly #api: ApiServer;
  #config: AgentConfig;
  #announcer: Announcer;
  /** What the speaker has. */
  #announcement: Announcement = { routes: new Map(), refused: [], problems: [] };
  readonly #routers: Routers;
  readonly #dns: DnsService | undefined;
  readonly #liveness: Liveness;
  /** Each capability that has a say in what is announced adds its own, and calls `#reconsider` when its mind changes. */
  readonly #conditions: Condition[] = [];
  #problems: readonly Problem[] = [];
  #started = false;
  #stopping = false;
  /** A first Snapshot was. */
  #taken = false;
  /** Every check has told, or had its time. */
  #checked = false;
  #ready = false;
  readonly #drains: Drains;
  /** Orders are written one after the other. */
  #ordering: Promise<unknown> = Promise.resolve();
  readonly #gateways: GatewayWatch;
  readonly #checks: Health;
  #healthConfig: ReturnType<typeof healthConfig>;
  /** What the watched paths were made of. */
  #watched: readonly unknown[] = [];

  /** Opens nothing yet. @throws UnreachableError when there is neither a configured nor a usual LXD socket */
  constructor(config: AgentConfig, world: AgentWorld) {
    super();
    // Each reader of the API's event stream listens.
    this.setMaxListeners(0);
    this.#config = config;
    this.#log = world.log;
    this.version = world.version;
    this.#stateFolder = world.stateFolder;
    const { socket: socketPath, timeout, resync } = config.lxd;
    this.#lxd = socketPath === undefined ? LxdClient.local() : new LxdClient({ socketPath });
    const kept = (name: string): { readonly saved?: StateFile } => {
      const { stateFolder: folder } = world;
      if (folder === undefined) return {};
      return { saved: new StateFile(join(folder, name), (error) => this.#log.warn(`state: ${error.message}`)) };
    };
    this.#inventory = new Inventory(this.#lxd, {
      timeout: timeout * 1000,
      resync: resync * 1000,
      guests: config.dns?.guests ?? false,
      ...kept("addresses.json"),
    });
    this.#announcer = new Announcer(announceConfig(config));
    this.#dns =
      config.dns &&
      new DnsService(config.dns, {
        lxd: this.#lxd,
        log: this.#log,
        onServices: () => this.#reconsider(),
        failing: () => (this.#ready ? this.#checks.notPassing : undefined),
        ...kept("dns.json"),
      });
    this.#drains = new Drains({
      wait: () => this.#config.drain.wait,
      changed: () => this.#reconsider(),
      confirm: () => this.#routers.confirm(),
    });
    this.#gateways = new GatewayWatch({
      preferLocal: () => this.#config.gateway.preferLocal,
      changed: () => this.#gatewaysChanged(),
      reread: () => this.#inventory.reread("networks"),
    });
    this.#healthConfig = healthConfig(config);
    this.#checks = new Health({
      log: this.#log,
      config: () => this.#healthConfig,
      probe: systemProbe(this.#lxd.instances),
      changed: () => {
        this.#reconsider();
        this.#dns?.healthChanged();
      },
    });
    this.#routers = new Routers({
      log: this.#log,
      session: (event) => this.emit("session", event),
      caughtUp: () => this.#drains.announced(),
    });
    this.#conditions.push(this.#checks.condition, this.#drains.condition, this.#gateways.condition);
    this.#liveness = new Liveness({
      log: this.#log,
      routerLost: (peer) => this.#routers.lost(peer),
      pathSeen: ({ server, name }, state) => this.#gateways.saw(server, name, state),
    });
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
    return this.#drains.wholeServer;
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

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The health checks of this server's instances. */
  get checks(): Health {
    return this.#checks;
  }

  get dns(): DnsService | undefined {
    return this.#dns;
  }

  async bfdSessions(): Promise<readonly SessionStatus[]> {
    return await this.#liveness.sessions();
  }

  sessions(): SessionInfo[] {
    return this.#routers.sessions();
  }

  /** Resolves when the API and the BGP listeners stand; `ready` comes later. */
  async start(): Promise<void> {
    await this.#api.start();
    await this.#liveness.watchRouters(this.#config.peers);
    await this.#routers.start(this.#config, this.#stateFolder);
    this.#inventory.on("snapshot", (snapshot) => this.#take(snapshot));
    this.#inventory.on("turned", (snapshot) => {
      this.#dns?.take(snapshot);
      this.#becomeReady();
    });
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
    await this.#stopDns();
    // What is announced stands from here on: routers keep it over a handover, and a goodbye takes all of it.
    this.#stopping = true;
    await this.#inventory.stop();
    this.#checks.stop();
    this.#drains.stop();
    this.#gateways.stop();
    await this.#liveness.stop();
    await this.#routers.stop(handover);
    await this.#api.stop();
    await this.#lxd.close();
  }

  /** Own services end with the agent, whatever becomes of the other routes. */
  async #stopDns(): Promise<void> {
    const announced = this.#dns?.services.some(({ silent }) => silent === undefined) === true;
    this.#dns?.retire();
    if (announced) {
      this.#reconsider();
      await delay(RETIREMENT);
    }
    await this.#dns?.stop();
  }

  /** Takes over what of a new configuration can change while running. @returns the keys that need a restart */
  reload(config: AgentConfig): string[] {
    const fixed = ["asn", "routerId", "listen", "lxd", "api", "server", "dns"] as const;
    const changed = fixed.filter((key) => JSON.stringify(config[key]) !== JSON.stringify(this.#config[key]));
    const next = { ...config, ...Object.fromEntries(fixed.map((key) => [key, this.#config[key]])) };
    // First what may refuse.
    this.#liveness.check(next.peers);
    this.#routers.reload(next);
    this.#liveness.watchRouters(next.peers).catch((error: unknown) => this.#notWatched(error as Error));
    this.#config = next;
    this.#announcer = new Announcer(announceConfig(next));
    this.#healthConfig = healthConfig(next);
    this.#log.level = next.log;
    if (this.snapshot !== undefined) {
      this.#checks.take(this.snapshot);
      this.#watchServers(this.snapshot);
    }
    this.#reconsider();
    return changed;
  }

  /**
   * Orders that something is drained before maintenance, or no longer, here or on another server; its agent carries it out.
   *
   * @throws LxdError when LXD does not store the order
   */
  async drain(what: Drainable, on: boolean): Promise<Ordered> {
    const ordered = this.#ordering.then(async () => await order(this.#lxd, what, on));
    this.#ordering = ordered.catch(() => undefined);
    return await ordered;
  }

  /** Whether LXD has that order already. */
  isOrdered(what: Drainable): boolean {
    return this.snapshot !== undefined && isOrdered(this.snapshot, what);
  }

  /** The servers on which a prefix is ordered to be drained. */
  orderedOn({ target }: Drainable): string[] {
    const { snapshot } = this;
    if (snapshot === undefined || target.kind !== "prefix") return [];
    const servers = snapshot.members.map(({ server_name }) => server_name);
    return servers.filter((server) => isOrdered(snapshot, { server, target }));
  }

  /** What draining it would take away from its server. */
  drainable(what: Drainable): string[] {
    return this.snapshot === undefined ? [] : prefixesOf(this.snapshot, announceConfig(this.#config), what);
  }

  /** The drains of this server, as far as they are. */
  drains(): DrainView[] {
    const server = this.snapshot?.server ?? "";
    return this.#drains.view(server, this.#announcement, {
      told: () => this.#routers.told(),
      announcing: (prefixes) => this.#routers.announcing(prefixes),
      gateways: () => this.#gateways.gatewaysOn(server),
    });
  }

  /** Servers that this one lost all watched paths to. */
  get lostServers(): ReadonlySet<string> {
    return this.#gateways.dead;
  }

  #take(snapshot: Snapshot): void {
    if (this.#stopping) return;
    const { server } = this.#config;
    if (server !== undefined && server !== snapshot.server) {
      this.emit("fatal", new WrongServerError(server, snapshot.server));
      return;
    }
    this.#checks.take(snapshot);
    this.#drains.take(snapshot);
    this.#gateways.take(snapshot);
    this.#watchServers(snapshot);
    this.#announce(snapshot);
    this.#dns?.take(snapshot);
    this.emit("snapshot", snapshot);
    if (!this.#taken)
      this.#checks.whenSettled(() => {
        this.#checked = true;
        this.#becomeReady();
      });
    this.#taken = true;
    this.#becomeReady();
  }

  /** Once, when all is known that routers may hold of this server: LXD's word, its instances' addresses, their health. */
  #becomeReady(): void {
    const { snapshot } = this;
    if (this.#ready || this.#stopping || !this.#checked || snapshot === undefined || snapshot.learning) return;
    this.#reconsider();
    this.#ready = true;
    this.#dns?.healthChanged();
    this.#routers.complete();
    const { routes } = this.#announcement;
    this.#log.info({ server: snapshot.server, instances: snapshot.instances.size, routes: routes.size }, "ready");
    this.emit("ready");
  }

  /** Watches the other servers, as LXD and the configuration now have them. */
  #watchServers(snapshot: Snapshot): void {
    const made = [snapshot.members, snapshot.server, this.#config.gateway];
    if (made.every((part, i) => part === this.#watched[i])) return;
    this.#watched = made;
    const paths = pathsOf(snapshot, this.#config);
    this.#gateways.watch(paths);
    this.#liveness.watchServers(paths).catch((error: unknown) => this.#notWatched(error as Error));
  }

  /** What BFD refuses of a configuration is no reason to end, which would take every route away. */
  #notWatched(error: Error & { readonly fault?: unknown }): void {
    if (error.fault === undefined) this.emit("fatal", error);
    else this.#log.error(`BFD watches what it watched before: ${error.message}`);
  }

  #gatewaysChanged(): void {
    const lost = [...this.#gateways.dead];
    if (lost.length > 0)
      this.#log.warn({ servers: lost }, "lost; routes whose gateway they hold are now the last resort");
    else this.#log.info("no server is lost any more");
    this.#reconsider();
  }

  /** Announces anew what is known, because the configuration or a condition changed. */
  #reconsider(): void {
    if (this.snapshot !== undefined && !this.#stopping) this.#announce(this.snapshot);
  }

  #announce(snapshot: Snapshot): void {
    const began = performance.now();
    const before = this.#announcement;
    this.#announcement = this.#announcer.announce(snapshot, this.#conditions, this.#dns?.services);
    const diff = diffRoutes(before.routes, this.#announcement.routes);
    this.#routers.tell(diff);
    this.#drains.announced();
    this.#metrics.announceSeconds.observe((performance.now() - began) / 1000);
    const known = this.#problems;
    this.#problems = [...this.#announcement.problems, ...this.#drains.problems, ...this.#checks.problems];
    logAnnouncement(this.#log, diff, known, this.#problems);
    if (diff.announced.length > 0 || diff.withdrawn.length > 0) this.emit("routes", diff);
  }

  #tellHealth(health: InventoryHealth): void {
    if (health.error !== undefined)
      this.#log.warn({ error: health.error }, "LXD cannot be read or followed; what was last known stands");
    else if (health.connected) this.#log.info("following LXD");
    this.emit("health", health);
  }
}
