import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Namespace, type RunOptions, findProgram } from "@trivet/lab";
import { eventually } from "../eventually.ts";

/** A neighbour as a router is told of it. */
export interface NeighborOptions {
  /** May be link-local with its interface, `fe80::1%eth0`. */
  readonly address: string;
  readonly asn: number;
  /** Both unless told. */
  readonly families?: readonly (4 | 6)[];
  /** Seconds; 90 unless told. */
  readonly holdTime?: number;
  /** Waits to be connected to. */
  readonly passive?: boolean;
  /** IPv4 routes with IPv6 next hops (RFC 8950). */
  readonly extendedNextHop?: boolean;
  readonly password?: string;
  /** GTSM (RFC 5082), for a neighbour on the same link. */
  readonly ttlSecurity?: boolean;
  /** Ties the session to BFD; FRR (with the daemon `bfdd`) and BIRD. */
  readonly bfd?: boolean;
}

/** A router to start, in words that every kind understands. */
export interface RouterOptions {
  readonly asn: number;
  /** As an IPv4 address. */
  readonly routerId: string;
  readonly neighbors: readonly NeighborOptions[];
  /** Prefixes to announce. */
  readonly announce?: readonly string[];
  /** Added to the configuration, in the router's own language. */
  readonly extra?: string;
}

/** What a router knows of a prefix: its next hops, best first. */
export type RouterTable = ReadonlyMap<string, readonly string[]>;

/** A real routing daemon in a network namespace, with its files in a folder of its own. */
export abstract class Router implements AsyncDisposable {
  readonly namespace: Namespace;
  readonly options: RouterOptions;
  readonly folder: string;
  readonly #processes = new Map<string, ChildProcess>();

  constructor(namespace: Namespace, options: RouterOptions) {
    this.namespace = namespace;
    this.options = options;
    this.folder = mkdtempSync(join(tmpdir(), "trivet-router-"));
  }

  /** Starts it, also after `stop`; resolves when it answers. */
  abstract start(): Promise<void>;
  /** The state of the session with a neighbour, in lower case: `established`, `active`. */
  abstract sessionState(neighbor: string): Promise<string>;
  /** All prefixes of a family that it learned by BGP. GoBGP's client takes minutes for 10,000 of IPv6. */
  abstract routes(family: 4 | 6): Promise<RouterTable>;
  /** How many those are. */
  async count(family: 4 | 6): Promise<number> {
    return (await this.routes(family)).size;
  }
  /** The next hops of one of them, best first; none when it is not there. */
  async nextHops(prefix: string): Promise<readonly string[]> {
    return (await this.routes(prefix.includes(":") ? 6 : 4)).get(prefix) ?? [];
  }
  /** Asks a neighbour for its routes again (RFC 2918). */
  abstract refresh(neighbor: string): Promise<void>;
  /** The process that speaks BGP. */
  protected abstract readonly daemon: string;

  /** Ends it in order, or, with SIGKILL, at once. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const ended = [...this.#processes.values()]
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map(async (child) => {
        const exit = once(child, "exit");
        child.kill("SIGCONT");
        child.kill(signal);
        await exit;
      });
    await Promise.all(ended);
    this.#processes.clear();
  }

  /** Stops (SIGSTOP) or continues (SIGCONT) the process that speaks BGP: its connections stay, and it says nothing. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#processes.get(this.daemon)?.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  protected path(name: string): string {
    return join(this.folder, name);
  }

  protected write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  protected spawn(name: string, ...args: readonly string[]): void {
    const child = this.namespace.spawn([findProgram(name) ?? name, ...args], { stdio: "ignore" });
    this.#processes.set(name, child);
  }

  protected async command(...argv: readonly [string, ...string[]]): Promise<string> {
    const options: RunOptions = { timeout: 20_000 };
    const { stdout } = await this.namespace.run(argv, options);
    return stdout;
  }

  protected async ready(probe: () => Promise<unknown>): Promise<void> {
    await eventually(`${this.daemon} answers`, async () => {
      await probe();
      return true;
    });
  }
}
