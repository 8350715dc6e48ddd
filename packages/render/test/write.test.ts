import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OutputError, type RenderedFile, writeTree } from "@trivet/render";

const file = (path: string, text: string, mode = 0o644): RenderedFile => ({ path, text, mode });
const FILES = [file("servers/a/netplan.yaml", "a\n", 0o600), file("lxd/x.sh", "x\n", 0o755)];

describe("writing a tree", () => {
  let folder: string;
  let out: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trivet-write-"));
    out = join(folder, "out");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("writes each file with its mode, and leaves nothing beside the folder", () => {
    expect(writeTree(FILES, out)).toEqual({
      written: ["servers/a/netplan.yaml", "lxd/x.sh"],
      unchanged: [],
      removed: [],
    });
    expect(readFileSync(join(out, "lxd/x.sh"), "utf8")).toBe("x\n");
    expect(statSync(join(out, "servers/a/netplan.yaml")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("replaces what it wrote, and removes what is rendered no more", () => {
    writeTree(FILES, out);
    expect(writeTree([file("lxd/x.sh", "y\n")], out)).toEqual({
      written: ["lxd/x.sh"],
      unchanged: [],
      removed: ["servers/a/netplan.yaml"],
    });
    expect(existsSync(join(out, "servers"))).toBe(false);
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("refuses a link to nothing, and writes nothing through it", () => {
    symlinkSync(join(folder, "nowhere"), out);
    expect(() => writeTree(FILES, out)).toThrow(OutputError);
    expect(() => writeTree(FILES, out)).toThrow("is a link to nothing");
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("keeps files of others that are not in the way", () => {
    mkdirSync(join(out, "notes"), { recursive: true });
    writeFileSync(join(out, "notes/mine.txt"), "mine");
    symlinkSync("notes/mine.txt", join(out, "link"));
    writeTree(FILES, out);
    expect(readFileSync(join(out, "link"), "utf8")).toBe("mine");
  });

  it.each([
    ["a file it did not write", () => undefined, "was not written by trivet"],
    [
      "a file that was changed since",
      (at: string) => writeTree([file("lxd/x.sh", "before\n")], at),
      "was changed since trivet wrote it",
    ],
  ])("refuses to overwrite %s, and then changes nothing, unless forced", (_, before, message) => {
    before(out);
    mkdirSync(join(out, "lxd"), { recursive: true });
    writeFileSync(join(out, "lxd/x.sh"), "precious\n");
    expect(() => writeTree(FILES, out)).toThrow(OutputError);
    expect(() => writeTree(FILES, out)).toThrow(message);
    expect(readFileSync(join(out, "lxd/x.sh"), "utf8")).toBe("precious\n");
    expect(existsSync(join(out, "servers"))).toBe(false);
    writeTree(FILES, out, { force: true });
    expect(readFileSync(join(out, "lxd/x.sh"), "utf8")).toBe("x\n");
  });

  it("refuses to lose a changed file that is rendered no more", () => {
    writeTree(FILES, out);
    chmodSync(join(out, "lxd/x.sh"), 0o644);
    writeFileSync(join(out, "lxd/x.sh"), "precious\n");
    expect(() => writeTree(FILES.slice(0, 1), out)).toThrow("was changed");
  });

  it("leaves the old tree when a write fails half-way", () => {
    writeTree(FILES, out);
    const clash = [file("a", "file\n"), file("a/b", "below a file\n")];
    expect(() => writeTree(clash, out)).toThrow();
    expect(readFileSync(join(out, "lxd/x.sh"), "utf8")).toBe("x\n");
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  it("a file where the folder should be is said", () => {
    writeFileSync(out, "");
    expect(() => writeTree(FILES, out)).toThrow("is no folder");
  });
});
