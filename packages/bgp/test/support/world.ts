import {
  type ConnectionHandler,
  type Message,
  MessageReader,
  type PeerOptions,
  Speaker,
  type SpeakerOptions,
} from "@trivet/bgp";
import { SimClock, SimNetwork } from "./sim.ts";

export const A = "192.0.2.1";
export const B = "192.0.2.254";

/** Speakers on simulated time and a simulated network; `log` is what they tell. */
export class World {
  readonly clock = new SimClock();
  readonly network = new SimNetwork(this.clock);
  readonly log: string[] = [];

  async speaker(address: string, options: Partial<SpeakerOptions>): Promise<Speaker> {
    const speaker = new Speaker(
      {
        asn: address === A ? 65001 : 65000,
        routerId: address.includes(":") ? "192.0.2.99" : address,
        listen: [{ address }],
        ...options,
      },
      { clock: this.clock, network: this.network.at(address), random: () => 1 },
    );
    speaker.on("session", ({ to, reason }) =>
      this.log.push(`${address} ${to}${reason === undefined ? "" : `: ${reason}`}`),
    );
    speaker.on("notification", ({ direction, text }) => this.log.push(`${address} ${direction} ${text}`));
    await speaker.start();
    return speaker;
  }

  /** Two speakers that peer with each other, after `seconds`. */
  async pair(a: Partial<PeerOptions> = {}, b: Partial<PeerOptions> = {}, seconds = 1): Promise<[Speaker, Speaker]> {
    const left = await this.speaker(A, { peers: [{ address: B, asn: 65000, ...a }] });
    const right = await this.speaker(B, { peers: [{ address: A, asn: 65001, passive: true, ...b }] });
    // The first attempt met no listener.
    await this.clock.advance(6 + seconds);
    return [left, right];
  }

  /** Speaks raw messages to a speaker from an address of its own. */
  stranger(address: string, to: string): { received: Message[]; send(bytes: Uint8Array): void; closed: () => boolean } {
    const reader = new MessageReader();
    const received: Message[] = [];
    let closed = false;
    const handler: ConnectionHandler = {
      connected: () => undefined,
      data: (chunk) => {
        reader.push(chunk);
        for (let message = reader.next(); message !== undefined; message = reader.next()) received.push(message);
      },
      drained: () => undefined,
      closed: () => (closed = true),
    };
    const connection = this.network.at(address).connect({ address: to, port: 179 }, handler);
    return { received, send: (bytes) => void connection.write([bytes]), closed: () => closed };
  }
}

/** Of a speaker's only session. */
export function state(speaker: Speaker): string | undefined {
  return speaker.sessions()[0]?.state;
}

/** What a speaker has of a peer. */
export function prefixes(speaker: Speaker, peer: string): string[] {
  return [...speaker.adjRibIn(peer)].map(({ prefix }) => prefix.toString()).toSorted();
}
