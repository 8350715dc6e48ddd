import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SpecError, readCluster } from "@trivet/spec";

describe("what is no file is not read", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trivet-spec-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const fault = (path: string): string => {
    try {
      readCluster(path);
    } catch (error) {
      if (error instanceof SpecError) return error.message;
      throw error;
    }
    return "none";
  };

  test.each([
    ["a device that never ends", "/dev/zero"],
    ["a folder", "/"],
  ])("%s", (_name, path) => {
    expect(fault(path)).toMatch(/is no regular file|is a folder/);
  });

  test("a pipe that nobody writes to, named or included", () => {
    const pipe = join(folder, "pipe.yaml");
    execFileSync("mkfifo", [pipe]);
    expect(fault(pipe)).toContain("is no regular file");
    writeFileSync(join(folder, "cluster.yaml"), "apiVersion: trivet/v1\ninclude: [pipe.yaml]\n");
    expect(fault(join(folder, "cluster.yaml"))).toContain("is no regular file");
  });
});
