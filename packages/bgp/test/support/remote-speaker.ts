import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { fileURLToPath } from "node:url";
import type { RouteAttributes, SessionInfo, SpeakerOptions } from "@trivet/bgp";
import type { Namespace } from "@trivet/lab";

export interface RouteText extends RouteAttributes {
  readonly prefix: string;
  readonly nextHop?: string;
}

type Call =
  | "create"
  | "announce"
  | "announceMany"
  | "adjRibIn"
  | "confirm"
  | "sessions"
  | "stop"
  | "detach"
  | "drain"
  | "releaseEndOfRib";

export interface Request {
  readonly id: number;
  readonly call: Call;
  readonly args: readonly unknown[];
}

type Reply =
  | { readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly event: string; readonly detail: unknown };

/** A speaker in a process of its own in a network namespace. Emits the speaker's events. */
export class RemoteSpeaker extends EventEmitter implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #next = 0;

  private constructor(namespace: Namespace) {
    super();
    const script = fileURLToPath(new URL("speaker-child.ts", import.meta.url));
    this.#child = namespace.spawn([process.execPath, script], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child.on("message", (reply: Reply) => {
      if ("event" in reply) {
        this.emit(reply.event, reply.detail);
        return;
      }
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply.value);
      else waiting?.reject(new Error(reply.error));
    });
  }

  static async start(namespace: Namespace, options: SpeakerOptions): Promise<RemoteSpeaker> {
    const speaker = new RemoteSpeaker(namespace);
    await speaker.call("create", options);
    return speaker;
  }

  async call(call: Call, ...args: readonly unknown[]): Promise<unknown> {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.send({ id, call, args } satisfies Request);
    return await answer;
  }

  async announce(routes: readonly RouteText[]): Promise<void> {
    await this.call("announce", routes);
  }

  async sessions(): Promise<SessionInfo[]> {
    return (await this.call("sessions")) as SessionInfo[];
  }

  /** Its process is gone at once, its connections are closed by the system. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
