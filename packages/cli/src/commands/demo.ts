import { once } from "node:events";
import { basename } from "node:path";
import { buildCommand } from "@stricli/core";
import type { Claim, Playground, Teller } from "@trivet/lab";
import type { Context } from "../context.ts";
import { jsonFlag } from "../flags.ts";

interface Flags {
  readonly once: boolean;
  readonly json: boolean;
}

export const demo = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Shows trivet at work on a simulated cluster, here and now, without root",
    fullDescription:
      "Plays a short story with measured times: three simulated servers, three real agents, real BGP over loopback. Then it stays up to\n" +
      "be explored until Ctrl-C. Nothing but its own processes and one temporary folder is touched, and both are gone at the end.\n\n" +
      "Exits with 0 if every claim of the story held, with 1 if one did not.",
  },
  parameters: {
    flags: {
      once: { kind: "boolean", brief: "End after the story", default: false },
      json: { ...jsonFlag, brief: "Print the claims as JSON, and nothing else; ends after the story" },
    },
  },
  async func({ once: only, json }) {
    if (!json) this.print(this.paint("bold", "trivet demo"));
    const { playDemo } = await import("@trivet/lab");
    const stop = new AbortController();
    const end = (): void => stop.abort();
    for (const signal of SIGNALS) process.once(signal, end);
    try {
      const claims = await playDemo(
        {
          command: [process.execPath, process.argv[1] ?? ""],
          teller: json ? SILENT : tellerOn(this),
          signal: stop.signal,
        },
        async (playground) => {
          if (json) return;
          this.print(`\nAll ${playground.claims.length} claims held.`);
          if (only) return;
          this.print(invitation(playground));
          playground.watch((line) => this.print(`  ${line}`));
          if (!stop.signal.aborted) await once(stop.signal, "abort");
        },
      );
      if (claims === undefined) return this.exit(INTERRUPTED);
      if (json) this.printJson({ claims });
      const held = claims.every((claim) => claim.held);
      if (!held && !json) this.print("\nA claim did not hold, so the story ends here.");
      this.exit(held ? 0 : 1);
    } finally {
      for (const signal of SIGNALS) process.off(signal, end);
    }
  },
});

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const INTERRUPTED = 130;
const SILENT: Teller = { say: () => undefined, claim: () => undefined };
const WIDTH = 96;

function tellerOn({ print, paint }: Context): Teller {
  return {
    say: (text) => print(`\n${wrap(text, WIDTH)}`),
    claim: (text, claim) => {
      const mark = claim.held ? paint("green", "✓") : paint("red", "✗");
      print(`  ${mark} ${text.padEnd(WIDTH - 16)} ${paint("bold", figureOf(claim).padStart(11))}`);
      if (claim.why !== undefined) print(wrap(`    ${claim.why}`, WIDTH));
    },
  };
}

function figureOf({ measured, unit }: Claim): string {
  if (unit !== "ms") return `${measured} ${unit}`;
  return measured < 1_000 ? `${measured.toFixed(0)} ms` : `${(measured / 1_000).toFixed(1)} s`;
}

function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

function invitation({ agents, lxd }: Playground): string {
  const trivet = basename(process.argv[1] ?? "") === "main.ts" ? "npm run trivet --" : "trivet";
  const [[server, socket] = ["", ""]] = agents;
  const curl = `curl -s --unix-socket ${lxd.get(server)}`;
  return [
    "The cluster stays up until Ctrl-C. To look around from another terminal:",
    `  ${trivet} status --socket ${socket}`,
    `  ${trivet} routes --socket ${socket}`,
    `  ${trivet} routes --explain 203.0.113.1/32 --socket ${socket}`,
    `That was the agent of ${server}; those of the other servers:`,
    ...[...agents].slice(1).map(([, path]) => `  ${path}`),
    "The simulated LXD is asked, and told, as a real one is. Stop an instance, and see below what the routers learn:",
    `  ${curl} 'http://lxd/1.0/instances?all-projects=true'`,
    `  ${curl} -X PUT -d '{"action":"stop"}' 'http://lxd/1.0/instances/git/state?project=web'`,
    "",
  ].join("\n");
}
