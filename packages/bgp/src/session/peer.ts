import { Address, parseScoped } from "@trivet/ip";
import type { Clock } from "../clock.ts";
import { WireError } from "../error.ts";
import { survivor } from "../fsm/collision.ts";
import { negotiate } from "../fsm/open.ts";
import { ACCEPTED_STATE, type FsmConfig, INITIAL_STATE } from "../fsm/state.ts";
import type { Connection, ConnectionHandler, Network } from "../network.ts";
import type { AdjRibIn } from "../rib/adj-rib-in.ts";
import type { AdjRibOut } from "../rib/adj-rib-out.ts";
import type { Profile } from "../rib/render.ts";
import { Sender } from "../rib/sender.ts";
import type { ResolvedPeer, ResolvedSpeaker } from "../resolve.ts";
import type { SessionInfo, SessionState, SpeakerEvents } from "../session-info.ts";
import {
  CeaseReason,
  type Message,
  type NotificationMessage,
  type OpenMessage,
  RefreshSubtype,
  type RouteRefreshMessage,
  type UpdateMessage,
  cease,
  describeNotification,
  unicastFamily,
} from "../wire/index.ts";
import { type Confirmation, Confirmations } from "./confirmations.ts";
import { Link, type LinkOwner } from "./link.ts";
import { Received } from "./received.ts";
import { SessionRecord } from "./record.ts";
import { OwnRestart, type StartWorld } from "./restart.ts";

/** What a peer needs of its speaker. */
export interface PeerWorld {
  readonly speaker: ResolvedSpeaker;
  readonly clock: Clock;
  readonly network: Network;
  readonly ribOut: AdjRibOut;
  readonly random: () => number;
  emit<K extends keyof SpeakerEvents>(event: K, ...args: SpeakerEvents[K]): void;
  readonly start: StartWorld;
  readonly draining: () => boolean;
  readonly endOfRibHeld: () => boolean;
  closing(closed: Promise<void>): void;
  /** The session of a range's member is over. */
  gone(peer: Peer): void;
}

const RANK: Readonly<Record<SessionState, number>> = {
  idle: 0,
  active: 1,
  connect: 2,
  "open-sent": 3,
  "open-confirm": 4,
  established: 5,
};

/** One router: the link that this end makes, the one that the other end makes, and what goes over the one that is established. */
export class Peer implements LinkOwner {
  options: ResolvedPeer;
  readonly #world: PeerWorld;
  readonly #primary: Link;
  #accepted: Link | undefined;
  #up: Link | undefined;
  #sender: Sender | undefined;
  #confirmations: Confirmations | undefined;
  #received = new Received();
  readonly #record: SessionRecord;
  readonly #restart: OwnRestart;
  #running = false;

  constructor(options: ResolvedPeer, world: PeerWorld) {
    this.options = options;
    this.#world = world;
    this.#record = new SessionRecord(world.clock);
    this.#restart = new OwnRestart(world.start);
    this.#primary = new Link(INITIAL_STATE, () => this.#config(false), this, world.clock);
  }

  get name(): string {
    return this.options.name;
  }

  start(): void {
    this.#running = true;
    this.#primary.dispatch({ type: "start" });
  }

  /** Ends the session for good; without a NOTIFICATION the connection is just closed. */
  stop(reason: string, notification?: NotificationMessage): void {
    this.#running = false;
    this.#end(reason, notification, false);
  }

  /** Ends the session; it comes up again by itself. */
  reset(notification: NotificationMessage): void {
    if (this.#running) this.#end(describeNotification(notification), notification, true);
  }

  /** Takes a connection that the peer made. */
  accept(connection: Connection): ConnectionHandler {
    const older = this.#accepted;
    const link = new Link(ACCEPTED_STATE, () => this.#config(true), this, this.#world.clock);
    this.#accepted = link;
    // A peer makes one connection at a time: an older one that did not come far is dead. An established one stays until the new
    // one's OPEN decides.
    if (older !== undefined && older !== this.#up)
      older.dispatch({ type: "stop", reason: "the peer connected again", notification: COLLISION });
    return link.accept(connection);
  }

  /** Takes options that need no new session. */
  adopt(options: ResolvedPeer): void {
    this.options = options;
    this.rejoin();
  }

  /** What the peer is told may be another now: another policy, draining or not. */
  rejoin(): void {
    if (this.#sender !== undefined && this.#up !== undefined)
      this.#world.ribOut.join(this.#sender, this.options.exports, this.#profile(this.#up));
  }

  releaseEndOfRib(): void {
    this.#sender?.releaseEndOfRib();
  }

  /** @returns false when the peer cannot be asked */
  requestRefresh(family: 4 | 6): boolean {
    const negotiated = this.#up?.state.negotiated;
    if (negotiated?.routeRefresh !== true || !negotiated.families.includes(family)) return false;
    if (negotiated.enhancedRefresh) this.#confirmations?.refresh(family);
    else this.#sender?.ask(family);
    return true;
  }

  /** Learns whether the peer has read all that it is sent up to now; nothing without a session. */
  confirm(): Promise<Confirmation> | undefined {
    if (this.#up === undefined) return undefined;
    const family = this.#received.answerable();
    return family === undefined ? Promise.resolve("unable") : this.#confirmations?.ask(family);
  }

  get ribIn(): AdjRibIn {
    return this.#received.rib;
  }

  get sender(): Sender | undefined {
    return this.#sender;
  }

  info(): SessionInfo {
    const { name, address, asn, description, dynamic } = this.options;
    const link = this.#up ?? this.#accepted ?? this.#primary;
    const negotiated = this.#up?.state.negotiated;
    const counts = this.#sender?.group?.count();
    const local = link.connection?.local;
    return {
      peer: name,
      address,
      asn,
      ...(description === undefined ? {} : { description }),
      dynamic,
      ...this.#record.info(),
      ...(local === undefined || local.address === "" ? {} : { local: local.address }),
      ...(negotiated === undefined ? {} : { negotiated }),
      prefixesReceived: this.#received.rib.count(),
      prefixesSent: counts?.told ?? { 4: 0, 6: 0 },
      unsendable: counts?.untold ?? { 4: 0, 6: 0 },
      waiting: (this.#sender?.waiting ?? 0) + (this.#up?.connection?.waiting ?? 0),
      endOfRib: this.#received.endOfRib,
    };
  }

  // What the links tell.

  connect(handler: ConnectionHandler): Connection {
    const { address, port, localAddress, password, ttlSecurity } = this.options;
    return this.#world.network.connect(
      {
        address,
        port,
        ...(localAddress === undefined ? {} : { localAddress }),
        ...(password === undefined ? {} : { password }),
        ...(ttlSecurity === undefined ? {} : { ttlSecurity }),
      },
      handler,
    );
  }

  mayOpen(link: Link, message: OpenMessage): boolean {
    if (link.state.phase !== "open-sent") return true;
    try {
      negotiate(this.#config(link !== this.#primary), message);
    } catch (error) {
      if (error instanceof WireError) return true; // the machine refuses it with the right NOTIFICATION
      throw error;
    }
    const other = link === this.#primary ? this.#accepted : this.#primary;
    const up = this.#up;
    if (up !== undefined && up !== link) {
      // RFC 4724 §4.2: a peer that restarts connects anew before its old connection is known to be dead.
      if (up.state.negotiated?.peerRestart === undefined) return false;
      up.dispatch({ type: "tcp-failed", reason: "the peer restarted" });
      return true;
    }
    if (other?.state.phase !== "open-confirm") return true;
    const { asn, routerId } = this.#world.speaker;
    const kept = survivor({ asn, routerId }, { asn: message.asn, routerId: message.identifier });
    const loser = kept === "initiated" ? this.#accepted : this.#primary;
    if (loser === link) return false;
    loser?.dispatch({ type: "collision" });
    return true;
  }

  moved(link: Link, from: SessionState, reason: string | undefined): void {
    const { phase } = link.state;
    if (phase === "open-confirm" && from !== phase)
      this.#world.ribOut.prepare(this.options.exports, this.#profile(link));
    if (phase === "established" && from !== phase) this.#comeUp(link);
    if (reason !== undefined) this.#fail(link, reason);
    if (phase === "idle" && link !== this.#primary) this.#drop(link);
    this.#show(reason);
    if (this.options.dynamic && this.#accepted === undefined && this.#up === undefined && phase === "idle")
      this.#world.gone(this);
  }

  update(link: Link, update: UpdateMessage): void {
    const family = this.#received.update(update);
    for (const problem of update.problems ?? []) this.#world.emit("problem", { peer: this.name, problem });
    if (family !== undefined) this.#world.emit("endOfRib", { peer: this.name, family });
    this.#world.emit("update", { peer: this.name, update });
    try {
      this.#received.checkLimit(this.options.maxPrefix);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      link.dispatch({ type: "error", error });
    }
  }

  refresh(_link: Link, { family, subtype }: RouteRefreshMessage): void {
    const unicastOf = unicastFamily(family);
    if (unicastOf === undefined) return;
    switch (subtype) {
      case RefreshSubtype.Request:
        this.#world.emit("refresh", { peer: this.name, family: unicastOf });
        this.#sender?.refresh(unicastOf);
        break;
      case RefreshSubtype.Begin:
        if (this.#received.beginRefresh(unicastOf)) this.#confirmations?.answered(unicastOf);
        break;
      case RefreshSubtype.End:
        this.#received.rib.endRefresh(unicastOf);
        break;
    }
  }

  notification(direction: "sent" | "received", message: NotificationMessage): void {
    this.#record.notification(direction, message);
    this.#world.emit("notification", { peer: this.name, direction, message, text: describeNotification(message) });
  }

  drained(link: Link): void {
    if (link === this.#up) this.#sender?.drained();
  }

  count(direction: "sent" | "received", kind: Message["kind"], messages: number): void {
    this.#record.count(direction, kind, messages);
  }

  closing(closed: Promise<void>): void {
    this.#world.closing(closed);
  }

  #comeUp(link: Link): void {
    this.#up = link;
    const other = link === this.#primary ? this.#accepted : this.#primary;
    if (other?.state.phase === "open-sent" || other?.state.phase === "open-confirm")
      other.dispatch({ type: "collision" });
    // Parked: it begins again when this session is over.
    if (other === this.#primary) other.dispatch({ type: "stop", reason: "the peer's connection is used" });
    const { negotiated } = link.state;
    const { families = [], enhancedRefresh = false } = negotiated ?? {};
    this.#received = new Received(negotiated);
    this.#restart.cameUp();
    const sender = new Sender(link, {
      families,
      enhancedRefresh,
      holdEndOfRib: this.#world.endOfRibHeld(),
      endOfRibSent: () => this.#restart.endOfRibSent(),
    });
    this.#sender = sender;
    this.#confirmations = new Confirmations((family) => sender.ask(family));
    // Listeners hear of the session before it is used.
    this.#show(undefined);
    if (this.#up === link) this.#world.ribOut.join(sender, this.options.exports, this.#profile(link));
  }

  #fail(link: Link, reason: string): void {
    // A connection that lost a collision is no failure of the peer.
    this.#record.fail(reason, this.#up !== undefined && link !== this.#up);
    if (link === this.#up) {
      this.#up = undefined;
      if (this.#sender !== undefined) this.#world.ribOut.leave(this.#sender);
      this.#sender = undefined;
      this.#confirmations?.end();
      this.#confirmations = undefined;
      this.#received = new Received();
      if (link !== this.#primary && this.#running) this.#primary.dispatch({ type: "restart" });
    }
  }

  #drop(link: Link): void {
    if (this.#accepted === link) this.#accepted = undefined;
  }

  #end(reason: string, notification: NotificationMessage | undefined, automatic: boolean): void {
    for (const link of new Set([this.#up, this.#accepted, this.#primary]))
      link?.dispatch({ type: "stop", reason, automatic, ...(notification === undefined ? {} : { notification }) });
  }

  /** The state of the link that came furthest. */
  #show(reason: string | undefined): void {
    const states = [this.#primary, this.#accepted, this.#up].map((link) => link?.state.phase ?? "idle");
    const to = states.reduce((a, b) => (RANK[b] > RANK[a] ? b : a));
    const from = this.#record.state;
    if (to === from) return;
    this.#record.move(to);
    const fell = reason !== undefined && RANK[to] < RANK[from];
    this.#world.emit("session", { peer: this.name, from, to, ...(fell ? { reason } : {}) });
  }

  #profile(link: Link): Profile {
    const local = link.connection?.local.address ?? "";
    const { role } = this.options;
    return {
      context: link.context,
      localAsn: this.#world.speaker.asn,
      self: local === "" ? Address.parse("0.0.0.0") : parseScoped(local).address,
      draining: this.#world.draining(),
      onlyToCustomer: role === "provider" || role === "peer" || role === "rs",
    };
  }

  #config(accepted: boolean): FsmConfig {
    const { asn, families, holdTime, connectRetry, passive, restartTime, role } = this.options;
    const { speaker, random } = this.#world;
    return {
      localAsn: speaker.asn,
      routerId: speaker.routerId,
      peerAsn: asn,
      holdTime,
      families,
      extendedNextHop: this.options.extendedNextHop ?? false,
      ...(restartTime === undefined ? {} : { restart: { time: restartTime, ...this.#restart.flags(restartTime) } }),
      ...(role === undefined ? {} : { role }),
      strictRole: this.options.strictRole ?? false,
      connectRetry,
      passive,
      accepted,
      delayOpen: 0,
      random,
    };
  }
}

const COLLISION = cease(CeaseReason.CollisionResolution);
