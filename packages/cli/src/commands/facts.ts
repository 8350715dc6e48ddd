import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";

interface Flags {
  readonly sshConfig?: string;
}

export const facts = buildCommand<Flags, [string], Context>({
  docs: {
    brief: "Collects what a server is made of, for trivet init",
    fullDescription:
      "Prints NICs with MAC, speed and slot, disks with class and serial, memory, cores and BMC, as JSON. Nothing on the server is changed.",
    customUsage: [
      { input: "ssh://root@langara >langara.json", brief: "Over ssh, as ssh_config says" },
      { input: "local", brief: "Of this machine" },
    ],
  },
  parameters: {
    flags: {
      sshConfig: {
        kind: "parsed",
        parse: String,
        brief: "Read by ssh instead of your own, as its -F",
        placeholder: "file",
        optional: true,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "ssh://[USER@]HOST[:PORT], or local", parse: parseTarget, placeholder: "server" }],
    },
  },
  async func({ sshConfig }, target) {
    const [{ FACTS_SCRIPT, parseFacts }, { run }] = await Promise.all([import("@trivet/spec"), import("@trivet/lab")]);
    const argv: [string, ...string[]] = target === "local" ? ["sh", "-s"] : ssh(target, sshConfig);
    const { stdout } = await run(argv, { input: FACTS_SCRIPT, timeout: 60_000 });
    this.printJson(parseFacts(stdout));
  },
});

function parseTarget(text: string): string {
  if (text === "local" || /^ssh:\/\/([\w.-]+@)?(\w[\w.-]*|\[[0-9a-fA-F:]+\])(:\d+)?$/.test(text)) return text;
  throw new TypeError(`${text} names no server; write ssh://HOST, ssh://USER@HOST:PORT or local`);
}

/** ssh takes the URL itself; it must not ask for a password, as nobody might be there to give it. */
function ssh(url: string, config: string | undefined): [string, ...string[]] {
  const file = config === undefined ? [] : ["-F", config];
  return ["ssh", ...file, "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "--", url, "sh -s"];
}
