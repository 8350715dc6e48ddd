import { LxdClient, findSocket, socketCandidates } from "@trivet/lxd";
import { describe, expect, test } from "vitest";

describe("the local daemon's socket", () => {
  test("is looked for in LXD's usual places, then in Incus'", () => {
    const there = new Set(["/var/lib/lxd/unix.socket", "/run/incus/unix.socket"]);
    expect(findSocket({}, (path) => there.has(path))).toBe("/var/lib/lxd/unix.socket");
    there.delete("/var/lib/lxd/unix.socket");
    expect(findSocket({}, (path) => there.has(path))).toBe("/run/incus/unix.socket");
    expect(findSocket({}, () => false)).toBeUndefined();
  });

  test.each([
    [{ LXD_SOCKET: "/s" }, ["/s"]],
    [{ LXD_DIR: "/d" }, ["/d/unix.socket"]],
    [{ INCUS_SOCKET: "/s" }, ["/s"]],
    [{ INCUS_DIR: "/d", LXD_DIR: "" }, ["/d/unix.socket"]],
    [
      { LXD_SOCKET: "/a", LXD_DIR: "/b", INCUS_SOCKET: "/c", INCUS_DIR: "/d" },
      ["/a", "/b/unix.socket", "/c", "/d/unix.socket"],
    ],
  ])("%j means there and nowhere else", (env, candidates) => {
    expect(socketCandidates(env)).toEqual(candidates);
  });

  test("missing, it is said where it was looked for", () => {
    expect(() => LxdClient.local({}, { LXD_DIR: "/nowhere" })).toThrow(
      "this machine: connect: neither LXD nor Incus has a socket here (looked at /nowhere/unix.socket); start the daemon, or set LXD_SOCKET or INCUS_SOCKET",
    );
  });
});
