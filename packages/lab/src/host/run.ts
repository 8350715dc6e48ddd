import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A command of the machine that failed or could not be started. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly fault = "world";
  readonly command: string;
  readonly status: number | string;
  readonly stderr: string;

  constructor(command: string, status: number | string, stderr: string) {
    const tail = stderr.trim().split("\n").slice(-15).join("\n");
    super(`\`${command}\` failed (${status})${tail === "" ? "" : `: ${tail}`}`);
    this.command = command;
    this.status = status;
    this.stderr = stderr;
  }
}

export interface RunOptions {
  /** Written to standard input, which is otherwise empty. */
  readonly input?: string;
  /** Milliseconds after which the command is killed and the call fails; 60,000 unless told. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Told every line of standard error as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end.
 *
 * @param argv the program and its arguments; no shell is involved
 * @throws CommandError when it cannot be started, exits with other than 0, or outlives its time
 */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = argv;
  const timeout = options.timeout ?? 60_000;
  const spawnOptions: SpawnOptions = {
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const child: ChildProcess = spawn(program, args, spawnOptions);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  if (options.onLine !== undefined && child.stderr !== null)
    createInterface({ input: child.stderr }).on("line", options.onLine);
  child.stdin?.on("error", () => undefined); // the command may end without reading its input
  child.stdin?.end(options.input ?? "");
  return await new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
      // What it started may live on and hold these open: that is not waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, timeout);
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString("utf8");
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new CommandError(argv.join(" "), error.message, text(err)));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve({ stdout: text(out), stderr: text(err) });
      else {
        const status = late ? `killed after ${timeout} ms` : (code ?? signal ?? "no status");
        reject(new CommandError(argv.join(" "), status, text(err) || text(out)));
      }
    });
  });
}
