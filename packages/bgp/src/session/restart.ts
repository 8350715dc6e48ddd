/** What a peer's speaker knows of its own start. */
export interface StartWorld {
  /** See `SpeakerOptions`. */
  readonly forwardingKept: boolean;
  /** A predecessor's routes are taken over, and not yet all of them are announced: see `SpeakerOptions.restarting`. */
  readonly restarting: () => boolean;
  /** Milliseconds since the start. */
  readonly running: () => number;
}

/**
 * What this end says to one peer of its own restart (RFC 4724 §3, §4.1). A peer keeps what it had of a predecessor for the restart time
 * at most; after that, whoever was added or changed is an ordinary new peer.
 */
export class OwnRestart {
  readonly #world: StartWorld;
  #restarting: boolean;
  #hadSession = false;

  constructor(world: StartWorld) {
    this.#world = world;
    this.#restarting = world.restarting();
  }

  /** The peer has a session: what it keeps after that is this speaker's own. */
  cameUp(): void {
    this.#hadSession = true;
  }

  /** The peer keeps nothing of the predecessor any more. */
  endOfRibSent(): void {
    this.#restarting = false;
  }

  /** @param restartTime in seconds */
  flags(restartTime: number): { readonly restarting: boolean; readonly forwarding: boolean } {
    const isRecent = this.#world.running() < restartTime * 1000;
    return {
      restarting: this.#restarting && isRecent,
      forwarding: this.#world.forwardingKept || this.#hadSession || !isRecent,
    };
  }
}
