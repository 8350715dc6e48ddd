import type { Family } from "@trivet/ip";
import { WireError } from "../error.ts";
import { AdjRibIn } from "../rib/adj-rib-in.ts";
import type { Negotiated } from "../session-info.ts";
import { CeaseReason, ErrorCode, type UpdateMessage, unicastFamily } from "../wire/index.ts";

/** Routes that a peer may be asked to send again only to learn what it has read. */
const FEW = 10_000;

/** What is received on one session: the peer's routes, and how far it has come with telling them. */
export class Received {
  readonly rib = new AdjRibIn();
  readonly #endOfRib = new Set<Family>();
  readonly #negotiated: Negotiated | undefined;

  /** @param negotiated nothing while there is no session */
  constructor(negotiated?: Negotiated) {
    this.#negotiated = negotiated;
  }

  /** The families whose End-of-RIB came. */
  get endOfRib(): Family[] {
    return [...this.#endOfRib];
  }

  /** @returns the family whose End-of-RIB it is, if it is one */
  update(update: UpdateMessage): Family | undefined {
    this.rib.apply(update);
    const family = update.endOfRib && unicastFamily(update.endOfRib);
    if (family !== undefined) this.#endOfRib.add(family);
    return family;
  }

  /**
   * The peer begins to send all of a family again (RFC 7313 §4).
   *
   * @returns false when it may not yet: that is to be ignored
   */
  beginRefresh(family: Family): boolean {
    if (!this.#mayRefresh(family)) return false;
    this.rib.beginRefresh(family);
    return true;
  }

  /** The family of which the peer announces least, if it marks the beginning of its answer and has not too much to answer. */
  answerable(): Family | undefined {
    const { families = [], enhancedRefresh } = this.#negotiated ?? {};
    if (enhancedRefresh !== true) return undefined;
    const counts = this.rib.count();
    return families
      .filter((family) => this.#mayRefresh(family) && counts[family] <= FEW)
      .toSorted((a, b) => counts[a] - counts[b])[0];
  }

  /** @throws WireError when the peer announces more prefixes of a family */
  checkLimit(maxPrefix: number | undefined): void {
    if (maxPrefix === undefined) return;
    const counts = this.rib.count();
    for (const family of [4, 6] as const) {
      if (counts[family] <= maxPrefix) continue;
      // RFC 4486 §4: the address family and the limit.
      const data = new Uint8Array(7);
      data.set([0, family === 4 ? 1 : 2, 1]);
      new DataView(data.buffer).setUint32(3, maxPrefix);
      const reason = `the peer announces more than ${maxPrefix} IPv${family} prefixes`;
      throw new WireError(ErrorCode.Cease, CeaseReason.MaximumPrefixes, reason, data);
    }
  }

  /** RFC 7313 §4: not before its End-of-RIB, if it has graceful restart. */
  #mayRefresh(family: Family): boolean {
    return this.#negotiated?.peerRestart === undefined || this.#endOfRib.has(family);
  }
}
