import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/** A command on a terminal of its own (script(1) makes it: 40 lines of 120 columns), as a user at a keyboard has it. */
export class Terminal {
  /** Everything written to the terminal so far, with its control sequences. */
  output = "";
  /** The command's exit status, once it has ended. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  constructor(argv: readonly string[]) {
    const words = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const command = `stty rows 40 columns 120; exec ${words}`;
    this.#child = spawn("script", ["--quiet", "--flush", "--return", "--command", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TERM: "xterm", SHELL: "/bin/sh" },
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.ended = once(this.#child, "close").then(([code]) => code as number | null);
  }

  /** Presses keys: `\u0003` is Ctrl-C. */
  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /**
   * Waits until a text was written so many times.
   *
   * @throws Error with the output's end, when the command ends before
   */
  async until(text: string, times = 1): Promise<void> {
    const enough = (): boolean => this.output.split(text).length > times;
    const ended = this.ended.then(() => true);
    while (!enough())
      if ((await Promise.race([once(this.#child.stdout, "data").then(() => false), ended])) && !enough())
        throw new Error(`the command ended before it wrote ${JSON.stringify(text)}: ${this.output.slice(-2_000)}`);
  }

  /** Ends the command, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}
