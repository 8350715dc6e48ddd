import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Namespace } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Name } from "../src/wire/name.ts";
import { Zone } from "../src/zone/zone.ts";
import { readZoneFile } from "../src/zonefile/reader.ts";
import { writeZoneFile } from "../src/zonefile/writer.ts";
import type { Answer, Questions } from "./lab/ask.ts";
import { type Daemon, startDaemon } from "./lab/daemons.ts";
import { DIFFERENCES } from "./lab/differences.ts";
import { startTrivet } from "./lab/trivet.ts";

const FIXTURE = fileURLToPath(new URL("lab/fixture.zone", import.meta.url));
const ASK = fileURLToPath(new URL("lab/ask.ts", import.meta.url));
const TYPES = [
  "A",
  "AAAA",
  "NS",
  "SOA",
  "CNAME",
  "MX",
  "TXT",
  "SRV",
  "DS",
  "DNAME",
  "CAA",
  "HTTPS",
  "PTR",
  "TYPE29",
  "TYPE65280",
];
const origin = Name.parse("example.org.");

function fixture(): Zone {
  return Zone.build(origin, readZoneFile(readFileSync(FIXTURE, "utf8"), { origin, path: FIXTURE }));
}

/** Every name of the zone, one that does not exist below each, and some of the kinds that went wrong elsewhere. */
function questions(): [string, string][] {
  const names = [...fixture().nodes.values()].map(({ name }) => name.toString());
  const more = [
    "x.y.wild",
    "*.wild",
    "x.exists.wild",
    "ghost.*.star",
    "a.b.sub",
    "ns.signed.sub",
    "x.deep.host.old",
    "WWW",
    "_tcp",
    "x._tcp",
  ];
  const all = [
    ...names,
    ...names.map((name) => `nope.${name}`),
    ...more.map((name) => `${name}.example.org.`),
    "example.net.",
    "org.",
    ".",
  ];
  return all.flatMap((name) => TYPES.map((type): [string, string] => [name, type]));
}

/** What must be equal. Records that an answer may have or not have are left out (RFC 1034 §3.7: "might be useful"). */
function essence(answer: Answer): Answer {
  const referral = answer.answer.length === 0 && answer.authority.some((line) => line.includes(" in ns "));
  const authority = answer.authority.filter(
    (line) => line.includes(" in soa ") || (referral && !answer.flags.includes("aa")),
  );
  return {
    ...answer,
    authority,
    additional: referral ? answer.additional.filter((line) => / in a(aaa)? /.test(line)) : [],
  };
}

describeLab("answers compared with NSD, Knot and BIND", { programs: ["nsd", "knotd", "named", "dig"] }, () => {
  let namespace: Namespace;
  let folder: string;
  let answers: Record<string, Record<string, Answer>>;

  beforeAll(async () => {
    namespace = await Namespace.create("dns-diff");
    folder = mkdtempSync(join(tmpdir(), "trivet-dns-"));
    // The others read what our writer has written.
    const file = join(folder, "example.org.zone");
    writeFileSync(file, [...writeZoneFile(fixture())].join(""));
    const servers: Record<string, { address: string; port: number }> = {};
    const kinds: Daemon[] = ["nsd", "knot", "bind"];
    for (const [index, kind] of kinds.entries()) {
      servers[kind] = { address: "127.0.0.1", port: 5301 + index };
      await startDaemon(kind, {
        namespace,
        folder: join(folder, kind),
        ...servers[kind],
        zones: [{ origin: "example.org.", file }],
      });
    }
    servers["trivet"] = { address: "127.0.0.1", port: 5300 };
    await startTrivet(namespace, {
      zones: { "example.org.": FIXTURE },
      options: { listen: [servers["trivet"]], rateLimit: false },
    });
    const input: Questions = { servers, questions: questions() };
    const { stdout } = await namespace.run([process.execPath, ASK], { input: JSON.stringify(input), timeout: 120_000 });
    answers = JSON.parse(stdout) as typeof answers;
  });

  afterAll(async () => {
    await namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test("there were answers to compare, of every kind", () => {
    const ours = Object.values(answers).map(({ trivet }) => trivet);
    expect(ours.length).toBeGreaterThan(1500);
    for (const rcode of [0, 3, 5]) expect(ours.some((answer) => answer?.rcode === rcode)).toBe(true);
  });

  test.each(["nsd", "knot", "bind"] as const)(
    "%s gives the same answers, except where the difference is explained",
    (server) => {
      const used = new Set<string>();
      const unexplained: string[] = [];
      for (const [question, byServer] of Object.entries(answers)) {
        const { trivet, [server]: other } = byServer;
        if (trivet === undefined || other === undefined) throw new TypeError(`no answer to ${question}`);
        const [ours, theirs] = [essence(trivet), essence(other)];
        if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
        const known = DIFFERENCES.find(
          (d) => d.servers.includes(server) && d.question.test(question) && d.explains(ours, theirs),
        );
        if (known === undefined)
          unexplained.push(`${question}\n  trivet ${JSON.stringify(ours)}\n  ${server} ${JSON.stringify(theirs)}`);
        else used.add(known.why);
      }
      expect(unexplained).toEqual([]);
      const expected = DIFFERENCES.filter((d) => d.servers.includes(server)).map(({ why }) => why);
      expect([...used].sort()).toEqual(expected.sort());
    },
  );
});
