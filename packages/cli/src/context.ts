import type { CommandContext } from "@stricli/core";
import { styleText } from "node:util";

/** What of the process a command may touch; tests give their own. */
export interface CommandProcess {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  exitCode?: number | string | null;
}

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export type Style = Parameters<typeof styleText>[0];

/** `this` of every command. */
export interface Context extends CommandContext {
  readonly process: CommandProcess;
  /** `--debug` was given: errors are shown with their stack. */
  readonly debug: boolean;
  /** Writes to standard output; a missing last newline is added. */
  readonly print: (text: string) => void;
  /** Writes one JSON document to standard output: what `--json` prints, and nothing else. */
  readonly printJson: (value: unknown) => void;
  /** The text in colour, when standard output is a terminal and NO_COLOR is not set. */
  readonly paint: (style: Style, text: string) => string;
  /** The status the command ends with; 0 unless told. */
  readonly exit: (code: number) => void;
}

export function createContext(process: CommandProcess, debug: boolean): Context {
  const colour =
    process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
  const print = (text: string): void => {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  };
  return {
    process,
    debug,
    print,
    printJson: (value) => print(JSON.stringify(value, undefined, 2)),
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
    exit: (code) => {
      process.exitCode = code;
    },
  };
}
