import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The agent's configuration, as its file has it. */
export type AgentConfig = Readonly<Record<string, unknown>>;

/** How to run `trivet`: the program and its first arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** An agent ended that should not have. */
export class AgentEndedError extends Error {
  override readonly name = "AgentEndedError";
  readonly fault = "world";
}

/**
 * Ends the process when the one that started it is gone, however that went: loaded before the agent, so that no agent outlives a demo
 * that was killed.
 */
const GUARD = `data:text/javascript,${encodeURIComponent(
  'process.on("disconnect", () => process.kill(process.pid, "SIGKILL")); process.channel?.unref();',
)}`;

/** One server's agent: a process of its own. */
export class Agent extends EventEmitter<{ ended: [error: AgentEndedError] }> {
  readonly server: string;
  readonly #command: Command;
  readonly #config: string;
  readonly #log: string;
  #child: ChildProcess | undefined;
  #wanted = false;
  /** Why it is not running, though it should. */
  failure: AgentEndedError | undefined;

  /** @param folder for its configuration and log */
  constructor(server: string, command: Command, folder: string, config: AgentConfig) {
    super();
    this.server = server;
    this.#command = command;
    this.#config = join(folder, `${server}.yaml`);
    this.#log = join(folder, `${server}.log`);
    writeFileSync(this.#log, "");
    writeFileSync(this.#config, JSON.stringify(config, undefined, 2)); // JSON is YAML
  }

  start(): void {
    const [program, ...args] = this.#command;
    this.#wanted = true;
    this.failure = undefined;
    const log = openSync(this.#log, "a");
    const child = spawn(program, ["--import", GUARD, ...args, "agent", "--config", this.#config], {
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    this.#child = child;
    child.once("error", (error) => this.#ended(child, error.message));
    child.once("close", (code, signal) =>
      this.#ended(child, code === null ? `ended by ${signal}` : `ended with status ${code}`),
    );
  }

  /** Stops it in the middle of what it does, without a word to anyone, as when the server loses power. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** Ends it at once; it can do nothing about that. */
  async kill(): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }

  /** The last line of its log that tells of something wrong. */
  lastComplaint(): string | undefined {
    const lines = readFileSync(this.#log, "utf8").split("\n");
    return lines.findLast((line) => /"level":"(warn|error|fatal)"|Error|^trivet: /.test(line));
  }

  #ended(child: ChildProcess, how: string): void {
    if (!this.#wanted || child !== this.#child) return;
    const said = this.lastComplaint();
    this.failure = new AgentEndedError(`the agent of ${this.server} ${how}${said === undefined ? "" : `: ${said}`}`);
    this.emit("ended", this.failure);
  }
}
