import { spawn } from "node:child_process";
import { CommandError } from "./run.ts";

/**
 * Runs a command on this process's own terminal.
 *
 * @returns its exit status, 128 and the signal's number as shells do
 */
export async function attach([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.on("error", (error) => {
      reject(new CommandError([program, ...args].join(" "), error.message, ""));
    });
    child.on("exit", (code, signal) => {
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}
