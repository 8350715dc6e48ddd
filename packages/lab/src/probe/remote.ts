import { type ChildProcess, spawn } from "node:child_process";
import type { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import { CommandError } from "../host/run.ts";
import type { FlowPlan } from "./flow.ts";
import type { ProbeEvents } from "./probe.ts";
import type { PartialReport } from "./report.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

// Bundled, a process of its own needs a file of its own.
const WORKER = fileURLToPath(
  import.meta.url.endsWith(".ts") ? new URL("worker.ts", import.meta.url) : new URL("lab-probe.js", import.meta.url),
);

/** A prober in a process of its own. */
export class RemoteProber {
  /** What it told last. */
  last: PartialReport = { flows: [], resolution: 0, cpuSeconds: 0 };
  readonly #plans: readonly FlowPlan[];
  readonly #argv: readonly [string, ...string[]];
  readonly #events: EventEmitter<ProbeEvents>;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<PartialReport>();
  #child: ChildProcess | undefined;

  /** @param enter command line that runs another in the namespace where the flows begin */
  constructor(enter: readonly [string, ...string[]], plans: readonly FlowPlan[], events: EventEmitter<ProbeEvents>) {
    this.#argv = [...enter, process.execPath, WORKER];
    this.#plans = plans;
    this.#events = events;
    // Whoever starts or stops it is told; until then nobody listens.
    this.#started.promise.catch(() => undefined);
    this.#ended.promise.catch(() => undefined);
  }

  /** @throws CommandError */
  async start(interval: number): Promise<void> {
    const [program, ...args] = this.#argv;
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child = child;
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("message", (message: FromWorker) => this.#heard(message));
    child.on("error", (error) => this.#died(error.message, stderr));
    child.on("close", (code, signal) => this.#died(code ?? signal ?? "no status", stderr));
    this.#tell({ start: { plans: this.#plans, interval } });
    await this.#started.promise;
  }

  /** @throws CommandError when it died before */
  async stop(): Promise<PartialReport> {
    if (this.#child?.connected === true) this.#tell({ stop: true });
    return await this.#ended.promise;
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  #tell(message: ToWorker): void {
    this.#child?.send(message);
  }

  #heard(message: FromWorker): void {
    if ("started" in message) this.#started.resolve();
    else if ("report" in message) this.last = message.report;
    else if ("gap" in message) this.#events.emit("gap", message.gap);
    else if ("end" in message) {
      this.last = message.end;
      this.#ended.resolve(message.end);
    } else {
      this.#died("failed", message.failed);
      this.kill();
    }
  }

  /** After its end nobody hears this any more. */
  #died(status: number | string, stderr: string): void {
    const error = new CommandError(this.#argv.join(" "), status, stderr);
    this.#started.reject(error);
    this.#ended.reject(error);
    if (status !== 0) this.#events.emit("failed", error);
  }
}
