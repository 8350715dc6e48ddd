import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Lab } from "../runtime/lab.ts";
import type { Server } from "../runtime/server.ts";
import type { Identity, Machine, PowerState, Reset } from "./machine.ts";
import { RedfishError } from "./messages.ts";
import { type Heat, cold, warm } from "./sensors.ts";

/** Degrees in front of the rack; the higher a server sits in it, the warmer. */
const INLET = 21;

/** A server of the lab, as its BMC has it. */
export class LabMachine implements Machine {
  readonly identity: Identity;
  readonly #server: Server;
  readonly #usageFiles: readonly string[];
  readonly #log: (text: string) => void;
  #heat: Heat;
  #usage: { readonly at: number; readonly seconds: number } | undefined;
  #transition: PowerState | undefined;
  /** Counts what was asked of it: what is still under way for an earlier request must not act after a later one. */
  #request = 0;

  constructor(lab: Lab, server: Server, log: (text: string) => void) {
    const hash = createHash("sha256").update(`${lab.name} ${server.name}`).digest("hex");
    this.identity = {
      name: server.name,
      serial: `${lab.name}-${server.name}`,
      // RFC 9562 §5.8: a UUID of one's own making is of version 8.
      uuid: `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`,
      processors: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    };
    this.#server = server;
    this.#log = log;
    const group = `${lab.places.cgroup}/${server.name}`;
    this.#usageFiles = [`/sys/fs/cgroup/cpuacct/${group}/cpuacct.usage`, `/sys/fs/cgroup/${group}/cpu.stat`];
    this.#heat = cold(INLET + lab.servers.indexOf(server) / 2);
  }

  heat(): Heat {
    return this.#heat;
  }

  async power(): Promise<PowerState> {
    return this.#transition ?? ((await this.#server.running()) ? "On" : "Off");
  }

  /** Reads its sensors; the load is that of the server's own processes. Called every few seconds. */
  sense(now = performance.now()): void {
    const seconds = this.#processorSeconds();
    const before = this.#usage;
    this.#usage = seconds === undefined ? undefined : { at: now, seconds };
    if (before === undefined || seconds === undefined) {
      this.#heat = warm(this.#heat, 1, seconds === undefined ? undefined : 0);
      return;
    }
    const passed = (now - before.at) / 1000;
    const load = (seconds - before.seconds) / passed / this.identity.processors;
    this.#heat = warm(this.#heat, passed, Math.min(1, Math.max(0, load)));
  }

  async reset(reset: Reset): Promise<void> {
    const on = await this.#server.running();
    this.#log(`${this.identity.name}: ${reset}, ${on ? "on" : "off"}`);
    if (reset === "ForceOff") return await this.#off(on);
    if (reset === "On") {
      if (this.#transition !== undefined) throw new RedfishError("ResourceInUse");
      if (!on) await this.#during("PoweringOn", async () => await this.#server.powerOn());
      return;
    }
    if (!on) throw new RedfishError("ResourceInStandby");
    if (reset === "ForceRestart" || reset === "PowerCycle") {
      await this.#off(on);
      await this.#during("PoweringOn", async () => await this.#server.powerOn());
      return;
    }
    if (this.#transition !== undefined) throw new RedfishError("ResourceInUse");
    this.#shutdown(reset === "GracefulRestart");
  }

  async #off(on: boolean): Promise<void> {
    this.#request++;
    this.#transition = undefined;
    if (on) await this.#server.kill();
  }

  /** An orderly shutdown, in the background, as a power button's. */
  #shutdown(again: boolean): void {
    this.#during("PoweringOff", async () => {
      const request = this.#request;
      await this.#server.stop();
      if (again && request === this.#request) await this.#server.powerOn();
    }).catch((error: unknown) => this.#log(`${this.identity.name}: ${String(error)}`));
  }

  async #during(state: PowerState, work: () => Promise<void>): Promise<void> {
    const request = ++this.#request;
    this.#transition = state;
    try {
      await work();
    } finally {
      if (request === this.#request) this.#transition = undefined;
    }
  }

  /** Processor time its processes have used since it was switched on; `undefined` while it is off. */
  #processorSeconds(): number | undefined {
    const file = this.#usageFiles.find((path) => existsSync(path));
    if (file === undefined) return undefined;
    const text = readFileSync(file, "utf8");
    const microseconds = /^usage_usec (\d+)/m.exec(text)?.[1];
    return microseconds === undefined ? Number(text) / 1e9 : Number(microseconds) / 1e6;
  }
}
