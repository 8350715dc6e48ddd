import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkConfig } from "@trivet/agent";
import { EXAMPLES, example, render, textOf } from "./support.ts";

const golden = (path: string) => fileURLToPath(new URL(`golden/${path}`, import.meta.url));

describe("the agent's unit", () => {
  it("is the one that comes with the agent, line for line", () => {
    const own = readFileSync(new URL("../../agent/system/trivet-agent.service", import.meta.url), "utf8");
    expect(textOf(render(example("hive")), "servers/orilla/etc/systemd/system/trivet-agent.service")).toContain(own);
  });
});

describe("the agent's configuration", () => {
  it.each(EXAMPLES)("of examples/%s is accepted by the agent, with its password files", (name) => {
    const folder = mkdtempSync(join(tmpdir(), "trivet-render-"));
    try {
      const own = render(example(name)).filter(({ path }) => path.includes("/etc/trivet/"));
      for (const { path, text } of own) {
        mkdirSync(join(folder, dirname(path)), { recursive: true });
        const root = path.slice(0, path.indexOf("/etc/trivet/"));
        writeFileSync(join(folder, path), text.replaceAll("/etc/trivet/", `${join(folder, root)}/etc/trivet/`));
      }
      const configs = own.filter(({ path }) => path.endsWith("agent.yaml"));
      for (const { path } of configs) {
        const { peers, allow } = checkConfig(join(folder, path));
        expect([peers.length > 0, allow.length > 0]).toEqual([true, true]);
      }
      expect(configs.length > 0).toBe(example(name).routing !== undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each(EXAMPLES)("examples/%s, rendered", (name) => {
  const files = render(example(name));

  it("is the golden tree, to the byte", async () => {
    for (const { path, text } of files) await expect(text).toMatchFileSnapshot(golden(`${name}/${path}`));
    const there = readdirSync(golden(name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(there.map((entry) => `${entry.parentPath}/${entry.name}`.slice(golden(name).length + 1)).sort()).toEqual(
      files.map(({ path }) => path).sort(),
    );
  });

  it("is the same the next time", () => {
    expect(render(example(name))).toEqual(files);
  });

  it("says in each file from what it was rendered", () => {
    // What holds nothing but a secret has no room for a word beside it.
    for (const { path, text } of files)
      if (!path.endsWith(".password")) expect(text, path).toContain("endered by trivet from cluster.yaml");
  });

  it("keeps secrets from all but the owner", () => {
    for (const { path, text, mode } of files)
      if (text.includes("not-a-real-secret")) expect(mode & 0o007, path).toBe(0);
  });

  it("is YAML and JSON where it says so", () => {
    for (const { path, text } of files) {
      if (/\.ya?ml$/.test(path)) expect(parse(text), path).toBeTypeOf("object");
      if (path.endsWith(".json")) expect(JSON.parse(text), path).toBeTypeOf("object");
    }
  });
});
