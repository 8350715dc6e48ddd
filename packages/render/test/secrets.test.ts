import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SecretError, secretReader } from "@trivet/render";

describe("secrets", () => {
  it("come from the environment, from files beside cluster.yaml, or from what was decrypted", () => {
    const folder = mkdtempSync(join(tmpdir(), "trivet-secret-"));
    try {
      writeFileSync(join(folder, "bgp"), "s3cret\n");
      const read = secretReader(folder, { BGP: "fromenv" }, new Map([["bgp.age", "fromage\n"]]));
      expect([read({ file: "bgp" }), read({ env: "BGP" }), read({ age: "bgp.age" })]).toEqual([
        "s3cret",
        "fromenv",
        "fromage",
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    [{ env: "NOT_SET" }, "NOT_SET is not set"],
    [{ file: "not-there" }, "cannot be read (ENOENT)"],
    [{ age: "not-there.age" }, "could not be decrypted"],
    [{ env: "TWO_LINES" }, "blanks, quotes"],
  ])("%j that cannot be used says so, without any of the secret", (ref, message) => {
    const read = secretReader("/nowhere", { TWO_LINES: "x\nneighbor 192.0.2.66 remote-as 1" });
    expect(() => read(ref)).toThrow(SecretError);
    expect(() => read(ref)).toThrow(message);
    expect(() => read(ref)).not.toThrow("192.0.2.66");
  });
});
