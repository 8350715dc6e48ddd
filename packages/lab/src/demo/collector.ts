import { EventEmitter } from "node:events";
import { Speaker } from "@trivet/bgp";

/** Seconds without a word from an agent after which a router forgets its routes. Routers' default is 90 or 180. */
export const HOLD_TIME = 5;

const ROUTER_ASN = 64_500;

export interface CollectorEvents {
  /** Routes came or went; `what` says it to people. */
  routes: [server: string, what: readonly string[]];
}

/**
 * A router that only looks: it accepts a BGP session from each server's agent, keeps what each announces, and tells of every change.
 *
 * Each server has a port of its own, because on loopback all agents may have the same address.
 */
export class Collector extends EventEmitter<CollectorEvents> {
  readonly name: string;
  readonly address: string;
  readonly asn = ROUTER_ASN;
  readonly #speakers: ReadonlyMap<string, Speaker>;
  readonly #withdrawals = new Map<string, number>();

  private constructor(name: string, address: string, speakers: ReadonlyMap<string, Speaker>) {
    super();
    this.name = name;
    this.address = address;
    this.#speakers = speakers;
    for (const [server, speaker] of speakers) {
      speaker.on("update", ({ update }) => {
        this.#count(server, update.withdrawn.length);
        const gone = update.withdrawn.map((prefix) => `withdraws ${prefix.toString()}`);
        const come = update.announced.flatMap(({ prefixes, nextHop }) =>
          prefixes.map((prefix) => `announces ${prefix.toString()} via ${nextHop.address.toString()}`),
        );
        this.emit("routes", server, [...gone, ...come]);
      });
      speaker.on("session", ({ from, reason = "" }) => {
        if (from !== "established") return;
        this.#count(server, 1);
        this.emit("routes", server, [`lost its session, and all its routes: ${reason}`]);
      });
    }
  }

  /** @throws NetworkError when the address cannot be listened on */
  static async start(
    name: string,
    options: { address: string; routerId: string; servers: readonly string[]; agentAsn: number },
  ): Promise<Collector> {
    const { address, routerId, servers, agentAsn } = options;
    const speakers = new Map(
      servers.map((server) => [
        server,
        new Speaker({
          asn: ROUTER_ASN,
          routerId,
          listen: [{ address, port: 0 }],
          peers: [{ name: server, address, asn: agentAsn, passive: true, holdTime: HOLD_TIME }],
        }),
      ]),
    );
    for (const speaker of speakers.values()) await speaker.start();
    return new Collector(name, address, speakers);
  }

  /** Where a server's agent connects to. */
  port(server: string): number {
    return this.#speaker(server).listening()[0]?.port ?? 0;
  }

  /** What a server announces: next hop by prefix. */
  routes(server: string): Map<string, string> {
    const routes = this.#speaker(server).adjRibIn(server);
    return new Map([...routes].map(({ prefix, nextHop }) => [prefix.toString(), nextHop.toString()]));
  }

  /** How many prefixes a server ever withdrew, by itself or by losing its session. */
  withdrawals(server: string): number {
    return this.#withdrawals.get(server) ?? 0;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#speakers.values()].map(async (speaker) => await speaker.stop("the demo ends")));
  }

  #speaker(server: string): Speaker {
    return this.#speakers.get(server) as Speaker;
  }

  #count(server: string, withdrawals: number): void {
    this.#withdrawals.set(server, this.withdrawals(server) + withdrawals);
  }
}
