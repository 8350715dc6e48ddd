import type { LxdClient, LxdEvent, StreamItem } from "@trivet/lxd";

/** Keeps what a client's events told, and waits for what they will tell. */
export class Watch implements AsyncDisposable {
  readonly items: StreamItem[] = [];
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #arrived: (() => void) | undefined;

  private constructor(client: LxdClient, types: readonly LxdEvent["type"][]) {
    this.#reading = this.#read(client, types);
  }

  /** Returns once the stream is open. */
  static async open(client: LxdClient, types: readonly LxdEvent["type"][] = ["lifecycle"]): Promise<Watch> {
    const watch = new Watch(client, types);
    await watch.until((item) => item.type === "resync");
    return watch;
  }

  /** The first item that fits, from `after` on; waits for it. The test's own time limit ends the wait. */
  async until(fits: (item: StreamItem) => boolean, after = 0): Promise<StreamItem> {
    for (;;) {
      const found = this.items.slice(after).find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  /** `until` for a lifecycle event: `instance-started` of `/1.0/instances/c1`. */
  async lifecycle(action: string, source: string, after = 0): Promise<void> {
    const fits = (item: StreamItem): boolean =>
      item.type === "lifecycle" && item.metadata.action === action && item.metadata.source === source;
    await this.until(fits, after);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(client: LxdClient, types: readonly LxdEvent["type"][]): Promise<void> {
    for await (const item of client.events({ types, allProjects: true, signal: this.#stop.signal })) {
      this.items.push(item);
      this.#arrived?.();
    }
  }
}
