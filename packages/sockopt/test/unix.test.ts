import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { SocketError, sendUnixDatagram, unavailableReason } from "../src/index.ts";

/** Node has no unix datagram sockets to receive with; Python, which Debian and Ubuntu always have, does. */
const RECEIVER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\\0", 1))
print("bound", flush=True)
s.settimeout(10)
print(json.dumps(s.recv(1000).decode()), flush=True)
`;

describe.skipIf(unavailableReason() !== undefined)("a datagram to a unix socket", () => {
  test.each(["file", "abstract"])("arrives whole (%s)", async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "trivet-unix-"));
    const path = kind === "file" ? join(folder, "s") : `@trivet-test-${process.pid}`;
    const receiver = spawn("python3", ["-c", RECEIVER, path], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const lines = createInterface(receiver.stdout);
      await once(lines, "line");
      sendUnixDatagram(path, Buffer.from("READY=1\nSTATUS=x"));
      expect(await once(lines, "line")).toEqual([JSON.stringify("READY=1\nSTATUS=x")]);
    } finally {
      receiver.kill();
      rmSync(folder, { recursive: true });
    }
  });

  test("nobody there, or a path too long, is an error with its code", () => {
    expect(() => sendUnixDatagram("/nonexistent/socket", new Uint8Array(1))).toThrow(
      expect.objectContaining({ name: "SocketError", code: "ENOENT" }),
    );
    expect(() => sendUnixDatagram(`/${"x".repeat(120)}`, new Uint8Array(1))).toThrow(SocketError);
  });
});
