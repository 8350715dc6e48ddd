import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

interface Claims {
  readonly claims: readonly { name: string; held: boolean; measured: number; unit: string; why?: string }[];
}

const root = fileURLToPath(new URL("../../../", import.meta.url));
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Runs `trivet demo` as a user does, from a folder that is not the project's. */
function demo(...flags: string[]) {
  const child = spawn(process.execPath, [main, "demo", ...flags], {
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.err += chunk.toString()));
  const ended = once(child, "close").then(([code]) => code as number | null);
  const until = async (text: string): Promise<void> => {
    while (!output.out.includes(text)) await Promise.race([once(child.stdout, "data"), ended]);
  };
  const leftovers = (): string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`trivet-demo-${child.pid}-`));
  return { child, output, ended, until, leftovers };
}

async function trivet(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [main, ...args])).stdout;
}

async function put(socketPath: string, path: string, body: object): Promise<void> {
  const call = request({ socketPath, path, method: "PUT" });
  call.end(JSON.stringify(body));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(202);
}

describe("trivet demo", () => {
  test("`npm start` is the demo", () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> };
    expect(scripts["start"]).toBe("node packages/cli/src/main.ts demo");
  });

  test("--once --json: every claim holds, nothing but JSON is printed, nothing is left", async () => {
    const { output, ended, leftovers } = demo("--once", "--json");
    const status = await ended;
    const { claims } = JSON.parse(output.out) as Claims;
    expect(claims.filter(({ held }) => !held)).toEqual([]);
    expect({ status, err: output.err }).toEqual({ status: 0, err: "" });
    expect(claims.map(({ name }) => name)).toEqual([
      "routes-up",
      "routes-exact",
      "move",
      "stop",
      "start",
      "anycast",
      "anycast-back",
      "hang-others",
      "hang",
      "hang-over",
      "hang-after",
      "power-loss",
      "survivors",
      "return",
    ]);
    for (const { measured, unit } of claims) {
      expect(measured).toBeGreaterThanOrEqual(0);
      expect(["ms", "routes", "withdrawals"]).toContain(unit);
    }
    expect(leftovers()).toEqual([]);
  }, 120_000);

  test("stays up to be explored, tells what the routers learn, and Ctrl-C ends it cleanly", async () => {
    const { child, output, ended, until, leftovers } = demo();
    await until("stays up until Ctrl-C");
    const socket = /--unix-socket (\S+langara\.sock)/.exec(output.out)?.[1] ?? "";
    const agent = /status --socket (\S+)/.exec(output.out)?.[1] ?? "";
    expect(await trivet("status", "--json", "--socket", agent)).toContain('"langara"');
    await put(socket, "/1.0/instances/git/state?project=web", { action: "stop" });
    await until("withdraws 203.0.113.5/32");
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(output.out).toMatch(/^All 14 claims held\.$/m);
    expect(output.err).toBe("");
    expect(leftovers()).toEqual([]);
  }, 120_000);
});
