import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trivet } from "@trivet/cli";

async function command(...argv: string[]) {
  let [out, err] = ["", ""];
  const status = await trivet(argv, {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env: {},
  });
  return { status, out, err };
}

describe("trivet init", () => {
  let out: string;
  beforeEach(() => {
    out = join(mkdtempSync(join(tmpdir(), "trivet-init-")), "cluster.yaml");
  });
  afterEach(() => {
    rmSync(join(out, ".."), { recursive: true });
  });

  it("writes a file that passes trivet check, and does not overwrite it unless told", async () => {
    expect((await command("init", "--name", "mine", "--out", out)).status).toBe(0);
    expect((await command("check", out)).out).toContain("good: 0 errors");
    writeFileSync(out, "precious");
    expect(await command("init", "--out", out)).toMatchObject({
      status: 1,
      err: expect.stringContaining("is already there") as string,
    });
    expect(readFileSync(out, "utf8")).toBe("precious");
    expect((await command("init", "--out", out, "--force")).status).toBe(0);
  });

  it("takes what trivet facts found", async () => {
    const facts = join(out, "../facts.json");
    writeFileSync(facts, (await command("facts", "local")).out);
    // This machine may have no port and no disk of its own: then what is missing is said, and nothing is written.
    const { status, err } = await command("init", "--from-facts", facts, "--out", out);
    if (status === 0) expect((await command("check", out)).out).toContain("good: 0 errors");
    else expect([err.includes("[missing-key]") || err.includes("error:"), existsSync(out)]).toEqual([true, false]);
  });

  it("an answer that does not do is said, and nothing is written", async () => {
    const { status, err } = await command("init", "--ipv6", "2001:db8::1/48", "--out", out);
    expect([status, existsSync(out)]).toEqual([1, false]);
    expect(err).toContain("host bits");
  });

  it.each(["http://x", "ssh://-oProxyCommand=x", "ssh://a b"])("facts of %s are refused", async (target) => {
    expect((await command("facts", target)).status).toBe(2);
  });
});
