import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { loadConfig } from "../config/load.ts";
import { Agent } from "./agent.ts";
import { createLogger } from "./log.ts";
import { SystemdNotifier } from "./sd-notify.ts";
import { Standing } from "./standing.ts";

export interface RunAgentOptions {
  /** Path of agent.yaml. */
  readonly config: string;
  readonly version: string;
}

/**
 * Runs the agent in this process until a signal ends it. SIGTERM hands over: routers with graceful restart keep the routes for the
 * successor, unless the whole server is going down. SIGINT says goodbye: the routes are withdrawn. SIGHUP reads the configuration again.
 *
 * @throws what makes a start impossible: a wrong configuration, an address in use, no LXD on this machine
 */
export async function runAgent({ config: path, version }: RunAgentOptions): Promise<void> {
  const config = loadConfig(path);
  const log = createLogger(config.log, version);
  const systemd = new SystemdNotifier(process.env, log);
  const agent = new Agent(config, { log, version, stateFolder: process.env["STATE_DIRECTORY"] });
  const standing = new Standing(agent, systemd);
  const takeOver = (): string | undefined => {
    try {
      const restart = agent.reload(loadConfig(path));
      const verb = restart.length === 1 ? "needs" : "need";
      const rest = restart.length === 0 ? "" : `; ${restart.join(", ")} ${verb} a restart`;
      log.info(`configuration reloaded${rest}`);
      return undefined;
    } catch (error) {
      if (isBug(error)) throw error;
      const { message } = error as Error;
      log.error(`the configuration stays as it was: ${message}`);
      return message;
    }
  };
  const reload = (): void => standing.reloading(takeOver);
  const ended = endOf(agent);
  agent.once("ready", () => {
    standing.ready();
    agent.on("routes", () => standing.changed());
  });
  const crash = (error: Error): void => {
    log.fatal({ stack: error.stack }, `this is a bug in trivet: ${error.message}`);
    // As routers see it a crash is a handover: the next agent, a second later, finds the routes still there.
    process.exit(BUG);
  };
  process.on("uncaughtException", crash);
  process.on("SIGHUP", reload);
  try {
    await agent.start();
    systemd.start();
    const how = await ended;
    systemd.tell("STOPPING=1");
    await agent.stop(how);
  } catch (error) {
    if (isBug(error)) crash(error as Error);
    await agent.stop("goodbye");
    throw error;
  } finally {
    systemd.stop();
    process.off("SIGHUP", reload);
    process.off("uncaughtException", crash);
  }
}

/** The exit status of a bug: not 1, with which a wrong configuration ends for good. */
const BUG = 70;

/** Neither the user's fault nor the world's. */
function isBug(error: unknown): boolean {
  return (error as { readonly fault?: unknown } | undefined)?.fault === undefined;
}

/** How the agent shall end, once it shall. */
async function endOf(agent: Agent): Promise<"goodbye" | "handover"> {
  const [terminate, interrupt] = [new AbortController(), new AbortController()];
  process.once("SIGTERM", () => terminate.abort());
  process.once("SIGINT", () => interrupt.abort());
  const failed = once(agent, "fatal").then(([error]) => {
    throw error as Error;
  });
  const how = await Promise.race([
    failed,
    once(terminate.signal, "abort").then(() => "terminate" as const),
    once(interrupt.signal, "abort").then(() => "interrupt" as const),
  ]);
  return how === "interrupt" || (await serverGoesDown()) ? "goodbye" : "handover";
}

/** Whether systemd is stopping the whole server: then no successor comes soon, and its routes must not linger. */
async function serverGoesDown(): Promise<boolean> {
  try {
    await promisify(execFile)("systemctl", ["is-system-running"], { timeout: 2_000 });
    return false;
  } catch (error) {
    // Any state but `running` is a status other than 0; without systemd there is no such program.
    const { stdout } = error as { readonly stdout?: string };
    return stdout?.trim() === "stopping";
  }
}
