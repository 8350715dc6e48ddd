import { type CallOptions, LxdError, type LxdClient, type Profile } from "@trivet/lxd";

/** The serial that all servers give a zone's content. */
export interface Entry {
  readonly serial: number;
  /** Of the content: see `contentHash`. */
  readonly hash: string;
}

/** What the servers agreed on. A new epoch is a new agreement; it is also the serial of the zones that it changes. */
export interface Agreement {
  readonly epoch: number;
  /** By the zone's origin in lower case, with its final dot. */
  readonly zones: ReadonlyMap<string, Entry>;
}

const NAME = /^trivet-dns-(\d{1,10})$/;
const KEY = "user.trivet.zone.";
const CALL: CallOptions = { timeout: 15_000, project: "default" };

/** True for the name of a profile that is an agreement: it says nothing of any instance. */
export function isLedgerProfile(name: string): boolean {
  return NAME.test(name);
}

/**
 * Keeps the newest agreement in LXD's database, as a profile `trivet-dns-EPOCH`: that a profile's name is unique is checked in the
 * transaction that makes it, which makes the next epoch the one server's that came first. (If-Match on LXD's objects is checked
 * outside the transaction and would not do.)
 */
export class Ledger {
  readonly #profiles: LxdClient["profiles"];

  constructor(lxd: Pick<LxdClient, "profiles">) {
    this.#profiles = lxd.profiles;
  }

  /** @throws LxdError */
  async read(): Promise<Agreement | undefined> {
    return newest(await this.#all());
  }

  /**
   * Tries to make this the newest agreement; {@link tidy} then removes what it replaces.
   *
   * @returns false when the epoch is taken, or LXD did not say that it was made: read again
   */
  async propose({ epoch, zones }: Agreement): Promise<boolean> {
    const config = Object.fromEntries(
      [...zones].map(([origin, { serial, hash }]) => [KEY + origin, `${serial} ${hash}`]),
    );
    const description = "Serials of the DNS zones that trivet answers for; do not edit or use";
    try {
      await this.#profiles.create({ name: `trivet-dns-${epoch}`, description, config, devices: {} }, CALL);
    } catch (error) {
      if (error instanceof LxdError) return false;
      throw error;
    }
    return true;
  }

  /** Removes the agreements before this one. @throws LxdError when they cannot be listed */
  async tidy(epoch: number): Promise<void> {
    for (const { name } of await this.#all())
      if (Number(NAME.exec(name)?.[1]) < epoch) await this.#removeReplaced(name);
  }

  /** Another server may remove it at the same time. */
  async #removeReplaced(name: string): Promise<void> {
    try {
      await this.#profiles.remove(name, CALL);
    } catch (error) {
      if (!(error instanceof LxdError)) throw error;
    }
  }

  async #all(): Promise<Profile[]> {
    return (await this.#profiles.list(CALL)).filter(({ name }) => isLedgerProfile(name));
  }
}

function newest(profiles: readonly Profile[]): Agreement | undefined {
  const epochs = profiles.map((profile) => ({ epoch: Number(NAME.exec(profile.name)?.[1]), profile }));
  const [last] = epochs.sort((a, b) => b.epoch - a.epoch);
  if (last === undefined) return undefined;
  const zones = new Map<string, Entry>();
  for (const [key, value] of Object.entries(last.profile.config)) {
    const [serial, hash] = value.split(" ");
    if (key.startsWith(KEY) && /^\d{1,10}$/.test(serial ?? "") && hash !== undefined)
      zones.set(key.slice(KEY.length), { serial: Number(serial), hash });
  }
  return { epoch: last.epoch, zones };
}
