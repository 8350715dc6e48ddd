import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { trivet } from "../src/app.ts";
import { createContext } from "../src/context.ts";
import { EXIT, faultOf, formatError } from "../src/errors.ts";
import { table } from "../src/table.ts";
import { VERSION } from "../src/version.ts";

async function run(...argv: string[]) {
  const out = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: string) => void (out[name] += text) });
  const status = await trivet(argv, { stdout: stream("stdout"), stderr: stream("stderr"), env: {} });
  return { ...out, status };
}

describe("trivet", () => {
  test("--help lists the commands", async () => {
    const { stdout, status } = await run("--help");
    expect(stdout).toContain("status");
    expect(status).toBe(0);
  });

  test("--version is the release", async () => {
    const root = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect((await run("--version")).stdout.trim()).toBe(root.version);
    expect(VERSION).toBe(root.version);
  });

  test("an unknown command is a usage error in one line, with a suggestion", async () => {
    const { stderr, status } = await run("statsu");
    expect(stderr).toMatch(/^trivet: no command "statsu"; did you mean status\?.*\n$/);
    expect(status).toBe(EXIT.usage);
  });

  test("an unknown flag is a usage error", async () => {
    const { stderr, status } = await run("status", "--jsno");
    expect(stderr).toMatch(/^trivet: .*jsno.*\n$/);
    expect(status).toBe(EXIT.usage);
  });

  test("a socket without a name is a usage error", async () => {
    const { stderr, status } = await run("status", "--socket", "");
    expect(stderr).toMatch(/^trivet: .*socket.*is empty; give the socket's path, or leave it out.*\n$/i);
    expect(status).toBe(EXIT.usage);
  });

  test("an agent that is not there is one line with a remedy, and a stack only with --debug", async () => {
    const plain = await run("status", "--socket", "/nonexistent/agent.sock");
    expect(plain.status).toBe(EXIT.world);
    expect(plain.stderr).toMatch(/^trivet: the agent at \/nonexistent\/agent.sock is not there; start it with .*\n$/);
    const debug = await run("--debug", "status", "--socket", "/nonexistent/agent.sock");
    expect(debug.stderr).toContain("    at ");
  });
});

describe("errors", () => {
  class InputError extends Error {
    readonly fault = "input";
  }

  test("are the user's, the world's or ours", () => {
    expect(faultOf(new InputError("x"))).toBe("input");
    expect(faultOf(new TypeError("x"))).toBe("bug");
    expect(faultOf("thrown text")).toBe("bug");
  });

  test("a bug says that it is one and how to report it", () => {
    expect(formatError(new TypeError("x is undefined"), false)).toMatch(
      /this is a bug in trivet: TypeError: x is undefined;.*--debug/,
    );
    expect(formatError(new TypeError("x is undefined"), true)).toContain("    at ");
  });

  test("a longer report replaces the line", () => {
    expect(formatError(Object.assign(new InputError("x"), { report: "a.yaml:1:2: no\n  ^\n" }), false)).toBe(
      "a.yaml:1:2: no\n  ^",
    );
  });
});

describe("output", () => {
  test("a table aligns its columns and counts no colour codes", () => {
    expect(
      table(
        ["PREFIX", "WHY"],
        [
          ["192.0.2.1/32", "a"],
          ["\u001B[1m::/0\u001B[22m", "b"],
        ],
      ),
    ).toBe("PREFIX        WHY\n192.0.2.1/32  a\n\u001B[1m::/0\u001B[22m          b");
    expect(table(["PREFIX"], [])).toBe("");
  });

  test.each([
    [{ isTTY: true, env: {} }, true],
    [{ isTTY: true, env: { NO_COLOR: "1" } }, false],
    [{ isTTY: false, env: {} }, false],
  ])("colour %j: %s", ({ isTTY, env }, coloured) => {
    const stream = { write: () => undefined, isTTY };
    const context = createContext({ stdout: stream, stderr: stream, env }, false);
    expect(context.paint("red", "x") !== "x").toBe(coloured);
  });
});
