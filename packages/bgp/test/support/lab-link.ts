import { Namespace } from "@trivet/lab";
import { Bird, Frr, GoBgp, type NeighborOptions, type Router, type RouterOptions, eventually } from "@trivet/testing";
import type { PeerOptions, SpeakerOptions } from "@trivet/bgp";
import { RemoteSpeaker } from "./remote-speaker.ts";

const OUR_ASN = 65001;
export const ROUTER_ASN = 65000;
export const OURS = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;
export const ROUTER = { 4: "192.0.2.254", 6: "2001:db8::fe" } as const;

interface Kind {
  readonly needs: string[];
  readonly make: (namespace: Namespace, options: RouterOptions) => Router;
  readonly extendedNextHop: boolean;
  readonly enhancedRefresh: boolean;
}

export const KINDS: Record<string, Kind> = {
  FRR: {
    needs: ["bgpd", "zebra", "vtysh"],
    make: (n, o) => new Frr(n, o),
    extendedNextHop: true,
    enhancedRefresh: true,
  },
  BIRD: { needs: ["bird", "birdc"], make: (n, o) => new Bird(n, o), extendedNextHop: true, enhancedRefresh: true },
  GoBGP: {
    needs: ["gobgpd", "gobgp"],
    make: (n, o) => new GoBgp(n, o),
    extendedNextHop: false,
    enhancedRefresh: false,
  },
};

/** As FRR writes 65535:0. */
export const GRACEFUL_SHUTDOWN = "graceful-shutdown";

/** A speaker and a router on one link. */
export class Link {
  readonly ours: Namespace;
  readonly theirs: Namespace;
  router: Router | undefined;
  speaker: RemoteSpeaker | undefined;

  private constructor(ours: Namespace, theirs: Namespace) {
    this.ours = ours;
    this.theirs = theirs;
  }

  static async create(): Promise<Link> {
    const [ours, theirs] = [await Namespace.create("bgp"), await Namespace.create("router")];
    await Namespace.link(ours, { dev: "uplink", addresses: [`${OURS[4]}/24`, `${OURS[6]}/64`, "fe80::1/64"] }, theirs, {
      dev: "downlink",
      addresses: [`${ROUTER[4]}/24`, `${ROUTER[6]}/64`, "fe80::fe/64"],
    });
    return new Link(ours, theirs);
  }

  async startRouter(
    kind: string,
    neighbor: Partial<NeighborOptions>,
    options: Partial<RouterOptions> = {},
  ): Promise<Router> {
    const make = KINDS[kind]?.make;
    if (make === undefined) throw new Error(kind);
    this.router = make(this.theirs, {
      asn: ROUTER_ASN,
      routerId: ROUTER[4],
      neighbors: [{ address: OURS[4], asn: OUR_ASN, ...neighbor }],
      ...options,
    });
    await this.router.start();
    return this.router;
  }

  async startSpeaker(peer: Partial<PeerOptions>, options: Partial<SpeakerOptions> = {}): Promise<RemoteSpeaker> {
    this.speaker = await RemoteSpeaker.start(this.ours, {
      asn: OUR_ASN,
      routerId: OURS[4],
      listen: [{ address: OURS[4] }, { address: OURS[6] }],
      peers: [{ address: ROUTER[4], asn: ROUTER_ASN, connectRetry: 1, ...peer }],
      ...options,
    });
    return this.speaker;
  }

  /** Both ends say so. */
  async established(neighbor: string): Promise<void> {
    await eventually("both ends are established", async () => {
      const [info] = (await this.speaker?.sessions()) ?? [];
      return info?.state === "established" && (await this.router?.sessionState(neighbor)) === "established";
    });
  }

  async end(): Promise<void> {
    await this.speaker?.kill();
    this.speaker = undefined;
    await this.router?.[Symbol.asyncDispose]();
    this.router = undefined;
  }

  async remove(): Promise<void> {
    await this.end();
    await this.ours.remove();
    await this.theirs.remove();
  }
}
