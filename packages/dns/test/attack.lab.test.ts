import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Namespace } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrivetProcess, startTrivet } from "./lab/trivet.ts";

const ATTACKS = fileURLToPath(new URL("lab/attacks.ts", import.meta.url));
const PORT = 5300;
/** MiB that an attack may leave behind. */
const GROWTH = 64;

describeLab("a server under attack", { programs: ["ip", "dig"] }, () => {
  let namespace: Namespace;
  let folder: string;
  let server: TrivetProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "trivet-dns-attack-"));
    namespace = await Namespace.create("dns-attack");
    const zone = join(folder, "zone");
    writeFileSync(
      zone,
      "@ 60 IN SOA ns admin 1 2 3 4 5\n@ 60 NS ns\nhost 60 A 192.0.2.1\n$GENERATE 1-50000 h$ 60 A 10.0.0.1\n",
    );
    server = await startTrivet(namespace, {
      zones: { "example.": zone },
      options: { listen: [{ address: "127.0.0.1", port: PORT }], workers: 1, tcp: { idleTimeout: 2000 } },
    });
  });
  afterAll(async () => {
    await namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function looked(): Promise<{ memory: number; faults: number }> {
    const { memory, counters } = await server.tell({ origin: "none." });
    return { memory: Number(memory) / 2 ** 20, faults: (counters as Record<string, number>)["faults"] ?? -1 };
  }

  test.each([
    ["garbage over UDP", "garbage"],
    ["garbage by TCP", "garbageTcp"],
    ["connections that say nothing, from many addresses", "connections"],
    ["queries that come octet by octet", "drip"],
    ["a hundred thousand queries in one go by TCP, and nothing read", "pipeline"],
    ["half-closed connections that want the zone", "halfClosed"],
  ])("%s: others are answered meanwhile, and its memory is given back", async (_, attack) => {
    const before = await looked();
    const { stdout } = await namespace.run([process.execPath, ATTACKS, attack, String(PORT)], { timeout: 100_000 });
    const { asked, answered } = JSON.parse(stdout) as { asked: number; answered: number };
    expect(asked).toBeGreaterThanOrEqual(4);
    expect(answered).toBe(asked);
    const after = await looked();
    expect(after.memory).toBeLessThan(before.memory + GROWTH);
    expect(after.faults).toBe(0);
  });
});
