import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Interface } from "node:readline/promises";
import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";

interface Flags {
  readonly name?: string;
  readonly domain?: string;
  readonly servers?: number;
  readonly platform?: "lxd" | "incus";
  readonly ipv6?: string;
  readonly ipv4?: string;
  readonly asn?: number;
  readonly providerAsn?: number;
  readonly fromFacts?: readonly string[];
  readonly out: string;
  readonly force: boolean;
}

/** Beside the sources; a bundle has none. */
const SCHEMA = join(import.meta.dirname, "../../../../schema/cluster.schema.json");

/** A file that is in the way, or facts or answers that cannot be used. */
class InitError extends Error {
  override readonly name = "InitError";
  readonly fault = "input";
}

const text = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, brief, placeholder, optional: true }) as const;
const count = (brief: string) =>
  ({ kind: "parsed", parse: whole, brief, placeholder: "number", optional: true }) as const;

export const init = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Writes a commented cluster.yaml to start from",
    fullDescription:
      "Asks on a terminal what no flag says; elsewhere it takes the defaults. What it writes passes trivet check.",
  },
  parameters: {
    flags: {
      name: text("Of the cluster (default hive)", "name"),
      domain: text("Of the cluster (default NAME.example.net)", "domain"),
      servers: count("How many, without --from-facts (default 3)"),
      platform: { kind: "enum", values: ["lxd", "incus"], brief: "lxd or incus (default lxd)", optional: true },
      ipv6: text("Prefix that is routed to you (default 2001:db8:10::/48)", "prefix"),
      ipv4: text("Likewise (default none)", "prefix"),
      asn: count("Your AS number (default 64512)"),
      providerAsn: count("The provider's AS number (default 64500)"),
      fromFacts: {
        kind: "parsed",
        parse: String,
        brief: "A file of trivet facts, one for each server",
        placeholder: "file",
        optional: true,
        variadic: true,
      },
      out: { kind: "parsed", parse: String, brief: "The file to write", placeholder: "file", default: "cluster.yaml" },
      force: { kind: "boolean", brief: "Overwrite it, if it is there", default: false },
    },
  },
  async func(flags) {
    const { ClusterError, draft, loadCluster, readFacts } = await import("@trivet/spec");
    if (existsSync(flags.out) && !flags.force)
      throw new InitError(`${flags.out} is already there; name another with --out, or give --force to overwrite it`);
    const facts = (flags.fromFacts ?? []).map((path) => {
      const read = readFacts(path, readText(path));
      if (!read.ok) throw new ClusterError(read.diagnostics);
      return read.value;
    });
    using questions = await Questions.open();
    const name = flags.name ?? (await questions.ask("Name of the cluster", "hive"));
    const answers = {
      name,
      domain: flags.domain ?? (await questions.ask("Its domain", `${name}.example.net`)),
      servers: flags.servers ?? (facts.length > 0 ? facts.length : whole(await questions.ask("How many servers", "3"))),
      platform: flags.platform ?? ("lxd" as const),
      facts,
      ipv6: flags.ipv6 ?? (await questions.ask("IPv6 prefix that is routed to you", "2001:db8:10::/48")),
      ...(flags.ipv4 !== undefined && { ipv4: flags.ipv4 }),
      asn: flags.asn ?? whole(await questions.ask("Your AS number", "64512")),
      providerAsn: flags.providerAsn ?? whole(await questions.ask("The provider's AS number", "64500")),
      ...(existsSync(SCHEMA) && { schema: SCHEMA }),
    };
    const written = draft(answers);
    // What would not pass the check is an answer's fault: said as such, and not written.
    const checked = loadCluster(flags.out, { read: () => written, list: () => [] });
    if (!checked.ok) throw new ClusterError(checked.diagnostics);
    writeFileSync(flags.out, written);
    this.print(`${flags.out} is written: look through it, then run trivet check ${flags.out}`);
  },
});

function whole(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InitError(`${text} is no whole number; write one`);
  return Number(text);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new InitError(
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}); name a file that trivet facts wrote`,
    );
  }
}

/** Asks on a terminal, and takes the default elsewhere. */
class Questions implements Disposable {
  readonly #lines: Interface | undefined;

  private constructor(lines?: Interface) {
    this.#lines = lines;
  }

  static async open(): Promise<Questions> {
    if (!process.stdin.isTTY || !process.stdout.isTTY) return new Questions();
    const { createInterface } = await import("node:readline/promises");
    return new Questions(createInterface({ input: process.stdin, output: process.stdout }));
  }

  async ask(question: string, fallback: string): Promise<string> {
    const answer = await this.#lines?.question(`${question} [${fallback}]: `);
    return answer === undefined || answer.trim() === "" ? fallback : answer.trim();
  }

  [Symbol.dispose](): void {
    this.#lines?.close();
  }
}
