import type { SystemdNotifier } from "./sd-notify.ts";
import type { AgentState } from "./state.ts";

/** What systemd is told of the agent: whether it is ready, and a line that `systemctl status` shows. */
export class Standing {
  readonly #agent: Pick<AgentState, "ready" | "announcement">;
  readonly #systemd: SystemdNotifier;
  /** Why the last reload was refused, if it was: nothing but this line and the log shows that the file is not in force. */
  #refused: string | undefined;
  #told: string | undefined;

  constructor(agent: Pick<AgentState, "ready" | "announcement">, systemd: SystemdNotifier) {
    this.#agent = agent;
    this.#systemd = systemd;
  }

  ready(): void {
    this.#systemd.tell("READY=1");
    this.changed();
  }

  /** The routes, or what is thought of the configuration, may have. */
  changed(): void {
    const { ready, announcement } = this.#agent;
    const count = announcement.routes.size;
    const now = ready ? `announcing ${count} ${count === 1 ? "route" : "routes"}` : "not ready yet";
    const line = this.#refused === undefined ? now : `the last reload was refused: ${this.#refused} (${now})`;
    if (line !== this.#told) this.#systemd.tell(`STATUS=${line}`);
    this.#told = line;
  }

  /** @param reload takes the configuration over, or returns why it is refused */
  reloading(reload: () => string | undefined): void {
    // A service that is still starting would count as started by what ends a reload.
    const { ready } = this.#agent;
    if (ready) this.#systemd.tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    this.#refused = reload()?.replaceAll("\n", " ");
    if (ready) this.#systemd.tell("READY=1");
    this.changed();
  }
}
