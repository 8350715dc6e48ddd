import { readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Claim, type Command, playDemo } from "../../src/demo/index.ts";

const trivet = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));
const silent = { say: () => undefined, claim: () => undefined };

describe("the demo when something is wrong", () => {
  test("agents that end at once: the first claim does not hold, says why, and the story ends", async () => {
    const told: Claim[] = [];
    const command: Command = [process.execPath, "-e", 'console.error("trivet: no such thing"); process.exit(3)'];
    const teller = { say: () => undefined, claim: (_: string, claim: Claim) => void told.push(claim) };
    const claims = await playDemo({ command, teller, signal: new AbortController().signal });
    expect(claims).toEqual(told);
    expect(claims).toHaveLength(1);
    expect(claims?.[0]).toMatchObject({ name: "routes-up", held: false });
    expect(claims?.[0]?.why).toMatch(
      /^the agent of (langara|abydos|orilla) ended with status 3: trivet: no such thing$/,
    );
  });

  test("a program that cannot be started", async () => {
    const command: Command = ["/nonexistent/trivet"];
    const claims = await playDemo({ command, teller: silent, signal: new AbortController().signal });
    expect(claims?.[0]).toMatchObject({ held: false });
    expect(claims?.[0]?.why).toContain("ENOENT");
  });

  test("an agent that is killed in the middle: the next claim does not hold", async () => {
    const told: string[] = [];
    const claims = await playDemo({
      command: [process.execPath, trivet],
      teller: {
        say: () => undefined,
        claim: (_, { name }) => {
          told.push(name);
          if (name === "routes-exact") process.kill(agentOf("langara"), "SIGKILL");
        },
      },
      signal: new AbortController().signal,
    });
    expect(told.slice(0, 2)).toEqual(["routes-up", "routes-exact"]);
    const broken = claims?.at(-1);
    expect(broken).toMatchObject({ held: false });
    expect(broken?.why).toMatch(/^the agent of langara ended by SIGKILL/);
  }, 60_000);
});

describe("the demo when it is interrupted", () => {
  test("at once, and while the agents start: nothing is left behind", async () => {
    for (const moment of ["at once", "agents start"]) {
      const stop = new AbortController();
      const playing = playDemo({
        command: [process.execPath, trivet],
        teller: { ...silent, say: (text) => text.startsWith("The agents") && setImmediate(() => stop.abort()) },
        signal: stop.signal,
      });
      if (moment === "at once") stop.abort();
      expect(await playing).toBeUndefined();
      expect(agentOf("langara")).toBeNaN();
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`trivet-demo-${process.pid}-`))).toEqual([]);
    }
  });
});

/** The agent of a server that this process started. */
function agentOf(server: string): number {
  const config = new RegExp(`/trivet-demo-${process.pid}-\\w+/${server}\\.yaml\0`);
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && config.test(commandLine(name)));
  return Number(pid);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return ""; // it ended meanwhile
    throw error;
  }
}
