import type { ChildProcess } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Namespace } from "@trivet/lab";
import type { SessionOptions, SessionStatus } from "../../src/index.ts";

/** A {@link BfdEndpoint} in a network namespace. */
export class RemoteEndpoint extends EventEmitter<{ state: [SessionStatus]; failure: [string] }> {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    super();
    this.#child = child;
    child.on("message", (message: SessionStatus | { readonly failure: string }) => {
      if ("failure" in message) this.emit("failure", message.failure);
      else this.emit("state", message);
    });
  }

  static async start(namespace: Namespace): Promise<RemoteEndpoint> {
    const script = fileURLToPath(new URL("endpoint-child.ts", import.meta.url));
    const child = namespace.spawn([process.execPath, script], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    await once(child, "message");
    return new RemoteEndpoint(child);
  }

  setSessions(sessions: readonly SessionOptions[]): void {
    this.#child.send(sessions);
  }

  /** Resolves with the next entry into a state. */
  async next(state: string): Promise<SessionStatus> {
    for await (const [status] of on(this, "state"))
      if ((status as SessionStatus).state === state) return status as SessionStatus;
    throw new TypeError("the events ended");
  }

  /** Resolves with why the next sessions are refused. */
  async failure(): Promise<string> {
    const [reason] = await once(this, "failure");
    return reason as string;
  }

  /** Its process is gone at once, without a word to its peers. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
