import { describe, expect, test } from "vitest";
import { sourceLines } from "../../src/image/sources.ts";

describe("apt sources of a lab's servers", () => {
  test("are the machine's own mirrors, for the other release", () => {
    const targets = [
      "http://mirror.example/debian/ bookworm main",
      "http://mirror.example/debian/ bookworm main",
      "http://mirror.example/debian/ bookworm-updates main",
      "http://security.example/debian-security/ bookworm-security main",
      "",
    ].join("\n");
    expect(sourceLines(targets, "bookworm", "trixie")).toEqual([
      "deb http://mirror.example/debian/ trixie main",
      "deb http://mirror.example/debian/ trixie-updates main",
      "deb http://security.example/debian-security/ trixie-security main",
    ]);
  });

  test("leave out what is not Debian's own", () => {
    const targets =
      "https://packages.example/tool stable main\nhttps://mirror.example/debian bookworm-backports main\n";
    expect(sourceLines(targets, "bookworm", "bookworm")).toEqual([]);
  });
});
