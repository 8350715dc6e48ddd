import { SocketError, sendUnixDatagram } from "@trivet/sockopt";
import type { Logger } from "./log.ts";

/**
 * Tells systemd how the service is (sd_notify(3)); says nothing when systemd did not start it.
 *
 * The message goes out as a datagram of this process. A helper program such as systemd-notify would be another process, whose message
 * older systemd drops when it ends too soon.
 */
export class SystemdNotifier {
  readonly #socket: string | undefined;
  readonly #watchdog: number;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;

  /** @param env NOTIFY_SOCKET and WATCHDOG_USEC, which systemd sets */
  constructor(env: Readonly<Record<string, string | undefined>>, log: Logger) {
    this.#socket = env["NOTIFY_SOCKET"];
    this.#watchdog = Number(env["WATCHDOG_USEC"] ?? 0) / 1000;
    this.#log = log;
  }

  /** Begins to pat the watchdog, twice as often as it asks for: as long as the event loop turns. */
  start(): void {
    if (this.#socket === undefined || !(this.#watchdog > 0)) return;
    this.#timer = setInterval(() => this.tell("WATCHDOG=1"), this.#watchdog / 2);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** @param state lines of `KEY=VALUE` */
  tell(...state: readonly string[]): void {
    if (this.#socket === undefined) return;
    try {
      sendUnixDatagram(this.#socket, Buffer.from(state.join("\n")));
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#log.warn({ error: error.message }, "systemd cannot be told");
    }
  }
}
