import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, run } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { afterAll, describe, expect, test } from "vitest";
import { parseConfig } from "../src/config/load.ts";

const TEXT = readFileSync(new URL("../../../docs/existing-cluster.md", import.meta.url), "utf8");

/** The fenced block after a line that begins with `lead`. */
function block(lead: string): string {
  const from = TEXT.indexOf(`\n${lead}`);
  const [, body] = TEXT.slice(from).split(/^```.*$/m);
  if (from < 0 || body === undefined) throw new Error(`no block after ${lead}`);
  return body;
}

describe("docs/existing-cluster.md", () => {
  test("the three lines of agent.yaml are valid", () => {
    expect(parseConfig("agent.yaml", block("Three lines")).asn).toBe(65010);
  });

  describeLab("the routers' configurations", { programs: ["bgpd", "bird"] }, () => {
    const folder = mkdtempSync(join(tmpdir(), "trivet-docs-"));
    chmodSync(folder, 0o755); // FRR reads as its own user
    afterAll(() => rmSync(folder, { recursive: true }));

    test("FRR takes every line", async () => {
      const path = join(folder, "frr.conf");
      writeFileSync(path, block("FRR ("));
      const { stdout, stderr } = await run([findProgram("bgpd") ?? "bgpd", "-C", "-f", path]);
      // FRR's folder for crash logs is named after the process, and one that was killed left its own.
      const said = `${stdout}${stderr}`.split("\n").filter((line) => !/\/var\/tmp\/frr\/|crashlog/.test(line));
      expect(said.join("\n")).toBe("");
    });

    test("BIRD takes every line", async () => {
      const path = join(folder, "bird.conf");
      writeFileSync(path, `router id 192.0.2.1;\nprotocol device {}\n${block("BIRD 2 (")}`);
      await run([findProgram("bird") ?? "bird", "-p", "-c", path]);
    });
  });
});
