import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Namespace } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServerOptions } from "../src/index.ts";
import { type Daemon, startDaemon } from "./lab/daemons.ts";
import { type TrivetProcess, startTrivet } from "./lab/trivet.ts";

const KEY = { name: "transfer.key.", algorithm: "hmac-sha256", secret: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=" };
const PRIMARY = { address: "127.0.0.1", port: 5300 };
const PORTS: Readonly<Record<Daemon, number>> = { nsd: 5301, knot: 5302, bind: 5303 };

/** A zone file of so many hosts. */
function zoneFile(serial: number, hosts: number, more = ""): string {
  const lines = Array.from(
    { length: hosts },
    (_, i) => `host${i} 60 A 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
  );
  return `@ 60 IN SOA ns admin ${serial} 3600 900 604800 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n${lines.join("\n")}\n${more}\n`;
}

describeLab("real secondaries", { programs: ["nsd", "knotd", "named", "dig", "kdig", "drill"] }, () => {
  let namespace: Namespace;
  let folder: string;
  let server: TrivetProcess;
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const dig = async (port: number, ...args: string[]): Promise<string> =>
    (
      await namespace.run(["dig", "@127.0.0.1", "-p", String(port), "+time=5", "+tries=1", ...args], {
        timeout: 60_000,
      })
    ).stdout;
  const serial = async (port: number, zone: string): Promise<number> =>
    Number((await dig(port, "+short", zone, "SOA")).split(" ")[2] ?? Number.NaN);
  const records = async (port: number, zone: string, ...args: string[]): Promise<string[]> =>
    (await dig(port, "+noall", "+answer", "+onesoa", zone, "AXFR", ...args))
      .split("\n")
      .map((line) => line.replaceAll(/\s+/g, " "))
      .filter((line) => line !== "" && !line.startsWith(";"))
      .sort();

  beforeAll(async () => {
    namespace = await Namespace.create("dns-sec");
    folder = mkdtempSync(join(tmpdir(), "trivet-dns-"));
    const options: ServerOptions = {
      listen: [PRIMARY],
      workers: 1,
      keys: [KEY],
      transfers: [{ key: KEY.name }],
      notify: Object.values(PORTS).map((port) => ({ address: "127.0.0.1", port, key: KEY.name })),
      rateLimit: false,
    };
    server = await startTrivet(namespace, {
      zones: { "small.example.": file("small.1", zoneFile(1, 3)), "big.example.": file("big.1", zoneFile(1, 100_000)) },
      options,
    });
    await server.tell({ catalog: "catalog.invalid.", serial: 1, members: ["small.example.", "big.example."] });
  });

  afterAll(async () => {
    await namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(["nsd", "knot", "bind"] as const)("%s", (kind) => {
    const port = PORTS[kind];
    const started = { serial: 0 };

    beforeAll(async () => {
      started.serial = await serial(PRIMARY.port, "small.example.");
      const zones = ["small.example.", "big.example."].map((origin) => ({ origin, primary: PRIMARY }));
      // Knot and BIND learn of the zones from the catalog; NSD 4.6 knows none.
      const catalog = { origin: "catalog.invalid.", primary: PRIMARY };
      await startDaemon(kind, {
        namespace,
        folder: join(folder, kind),
        address: "127.0.0.1",
        port,
        key: KEY,
        ...(kind === "nsd" ? { zones } : { zones: [], catalog }),
      });
    });

    test(
      kind !== "nsd"
        ? "learns of the zones from the catalog (RFC 9432) and transfers them"
        : "transfers the zones, signed (RFC 5936, RFC 8945)",
      async () => {
        for (const zone of ["small.example.", "big.example."])
          await eventually(
            `${kind} has ${zone}`,
            async () => (await serial(port, zone)) === (await serial(PRIMARY.port, zone)),
            60_000,
          );
        expect(await dig(port, "+short", "host99999.big.example.", "A")).toBe("10.1.134.159\n");
      },
    );

    test("is notified of a change and has it at once, by IXFR (RFC 1996, RFC 1995)", async () => {
      const next = started.serial + 1;
      const before = (await server.tell({ origin: "none.", path: undefined }))["counters"] as Record<string, number>;
      const changed = performance.now();
      await server.tell({
        origin: "small.example.",
        path: file(`small.${next}`, zoneFile(next, 3, `new${next} 60 TXT "fresh"`)),
      });
      await eventually(`${kind} has serial ${next}`, async () => (await serial(port, "small.example.")) === next);
      const took = performance.now() - changed;
      expect(await dig(port, "+short", `new${next}.small.example.`, "TXT")).toBe('"fresh"\n');
      const after = (await server.tell({ origin: "none.", path: undefined }))["counters"] as Record<string, number>;
      expect(after["incrementalTransfers"] ?? 0).toBeGreaterThan(before["incrementalTransfers"] ?? 0);
      // Far below a refresh interval; how fast it is, is measured elsewhere.
      expect(took).toBeLessThan(10_000);
      await eventually("the acknowledgement", () =>
        server.notifies.some(
          ({ target, state, serial: told }) =>
            target === `127.0.0.1:${port}` && state === "acknowledged" && told === next,
        ),
      );
    });
  });

  test("a zone that leaves the catalog is dropped, one that comes is taken", async () => {
    await server.tell({ origin: "late.example.", path: file("late.1", zoneFile(7, 1)) });
    await server.tell({ catalog: "catalog.invalid.", serial: 2, members: ["big.example.", "late.example."] });
    for (const kind of ["knot", "bind"] as const) {
      await eventually(
        `${kind} has the new zone`,
        async () => (await serial(PORTS[kind], "late.example.")) === 7,
        60_000,
      );
      await eventually(`${kind} has dropped the other`, async () =>
        (await dig(PORTS[kind], "small.example.", "SOA")).includes("status: REFUSED"),
      );
    }
  });

  describe("a zone of 100,000 records that changes while it is transferred", () => {
    test("each transfer is of one version: both SOA records, and all hosts, are the same", async () => {
      await server.tell({ churn: "big.example.", on: true });
      const serials = new Set<string>();
      for (let i = 0; i < 4; i++) {
        const { stdout } = await namespace.run(
          [
            "kdig",
            `@${PRIMARY.address}`,
            "-p",
            String(PRIMARY.port),
            "-y",
            `${KEY.algorithm}:${KEY.name}:${KEY.secret}`,
            "big.example.",
            "AXFR",
            "+noall",
            "+answer",
          ],
          { timeout: 60_000 },
        );
        const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
        const soas = lines.filter((line) => /\sSOA\s/.test(line));
        expect(soas).toHaveLength(2);
        expect(soas[0]).toBe(soas[1]);
        expect(lines.filter((line) => line.startsWith("host"))).toHaveLength(100_000);
        serials.add(/admin\S* (\d+)/.exec(soas[0] ?? "")?.[1] ?? "");
        // A version has the one host that was added with it.
        const churn = lines.filter((line) => line.startsWith("churn")).map((line) => /^churn(\d+)/.exec(line)?.[1]);
        if (churn.length > 0) expect(churn).toEqual([[...serials].at(-1)]);
      }
      expect(serials.size).toBe(4);
      const churned = server.event("churned");
      await server.tell({ churn: "big.example.", on: false });
      await churned;
    });

    test("the secondaries end with the newest, and the same, records", async () => {
      const newest = await serial(PRIMARY.port, "big.example.");
      const y = ["-y", `${KEY.algorithm}:${KEY.name}:${KEY.secret}`];
      const ours = await records(PRIMARY.port, "big.example.", ...y);
      for (const kind of ["nsd", "knot", "bind"] as const) {
        await eventually(
          `${kind} has serial ${newest}`,
          async () => (await serial(PORTS[kind], "big.example.")) === newest,
          60_000,
        );
        expect(await dig(PORTS[kind], "+short", `churn${newest}.big.example.`, "A")).toBe("192.0.2.200\n");
      }
      expect(ours).toHaveLength(100_004);
    });
  });

  describe("transfers from strangers and with wrong keys", () => {
    test.each([
      ["unsigned", [], /Transfer failed|REFUSED/],
      ["signed with an unknown key", ["-y", `hmac-sha256:other.:${KEY.secret}`], /BADKEY|NOTAUTH/],
      ["signed with another secret", ["-y", "hmac-sha256:transfer.key.:b3RoZXI="], /BADSIG|NOTAUTH/],
    ])("%s: refused", async (_, args, problem) => {
      const { stdout } = await namespace
        .run(["dig", "@127.0.0.1", "-p", "5300", "+tries=1", ...args, "small.example.", "AXFR"])
        .catch((error: { stderr: string; message: string }) => ({ stdout: error.message + error.stderr }));
      expect(stdout).toMatch(problem);
      expect(stdout).not.toContain("host0");
    });
  });

  describe("clients of others", () => {
    test("kdig: EDNS, cookies, NSID, TCP kept open", async () => {
      const { stdout } = await namespace.run([
        "kdig",
        "@127.0.0.1",
        "-p",
        "5300",
        "+tcp",
        "+keepopen",
        "+cookie",
        "+nsid",
        "host0.small.example.",
        "A",
        "host1.small.example.",
        "A",
      ]);
      expect(stdout).toContain("10.0.0.0");
      expect(stdout).toContain("10.0.0.1");
      expect(stdout.match(/status: NOERROR/g)).toHaveLength(2);
    });

    test("kdig: BADVERS for an EDNS version we do not know", async () => {
      const version = await namespace.run(["kdig", "@127.0.0.1", "-p", "5300", "+edns=1", "small.example.", "SOA"]);
      expect(version.stdout).toContain("BADVERS");
    });

    test("drill (ldns)", async () => {
      const { stdout } = await namespace.run(["drill", "-p", "5300", "host2.small.example.", "@127.0.0.1", "A"]);
      expect(stdout).toContain("rcode: NOERROR");
      expect(stdout).toContain("10.0.0.2");
    });

    test("drill (ldns) transfers with TSIG", async () => {
      const { stdout } = await namespace.run([
        "drill",
        "-p",
        "5300",
        "-y",
        `${KEY.name}:${KEY.secret}:hmac-sha256`,
        "small.example.",
        "@127.0.0.1",
        "AXFR",
      ]);
      expect(stdout).toContain("host2.small.example.");
    });

    test("dig +cookie: the second query brings our cookie back and it is good", async () => {
      const output = await dig(5300, "+cookie", "small.example.", "SOA");
      expect(output).toMatch(/COOKIE: [0-9a-f]{48} \(good\)/);
    });
  });
});
