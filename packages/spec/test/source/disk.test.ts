import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
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

  test("a file that is not there is said by its name, without a line", () => {
    expect(fault(join(folder, "nothing.yaml"))).toBe(
      `${join(folder, "nothing.yaml")}: the file does not exist; name the cluster's file`,
    );
  });

  test("files that are too large, no text, or hold what drives a terminal", () => {
    const path = join(folder, "cluster.yaml");
    writeFileSync(path, Buffer.alloc(3 << 20, "a"));
    expect(fault(path)).toMatch(/cluster.yaml: the file is larger than 2 MiB/);
    writeFileSync(path, Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x3a, 0x00]));
    expect(fault(path)).toContain("no text in UTF-8");
    writeFileSync(path, randomBytes(100_000));
    expect(fault(path)).toContain("no text in UTF-8");
  });

  test("a pipe that nobody writes to, named or included", () => {
    const pipe = join(folder, "pipe.yaml");
    execFileSync("mkfifo", [pipe]);
    expect(fault(pipe)).toContain("is no regular file");
    writeFileSync(join(folder, "cluster.yaml"), "apiVersion: trivet/v1\ninclude: [pipe.yaml]\n");
    expect(fault(join(folder, "cluster.yaml"))).toContain("is no regular file");
  });
});
