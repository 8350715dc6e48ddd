import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  DnsStatus,
  ExplainAnswer,
  HealthAnswer,
  RecordView,
  RoutesAnswer,
  StatusAnswer,
  ZoneView,
} from "@trivet/agent";
import { DnsServer, Name, Zone, ZoneStore, readZoneFile } from "@trivet/dns";
import { afterAll, beforeAll, describe, expect, test, onTestFinished } from "vitest";
import { trivet } from "../src/app.ts";

const folder = mkdtempSync(join(tmpdir(), "trivet-cli-"));
const socket = join(folder, "agent.sock");
let server: Server;

const ROUTES: RoutesAnswer = {
  server: "langara",
  ready: true,
  routers: 1,
  routes: [
    {
      prefix: "203.0.113.1/32",
      nextHop: "198.51.100.100",
      nextHopFrom: "the OVN router's address on the uplink",
      attributes: { communities: ["65010:53"], med: 5 },
      reasons: ["external route of instance dns/ns1 (eth0 on dns)", "external route of instance dns/ns2 (eth0 on dns)"],
    },
    {
      prefix: "2001:db8::/64",
      nextHop: "self",
      nextHopFrom: "this server",
      reasons: ["subnet of network default/br0"],
      heldBack: ["its gateway is on abydos, which is drained"],
    },
  ],
  refused: [
    {
      prefix: "203.0.113.9/32",
      source: "external route of instance web/c9 (eth0 on web)",
      code: "not-running",
      why: "the instance is stopped",
    },
  ],
};

const EXPLAIN: ExplainAnswer = {
  prefix: "203.0.113.1/32",
  servers: [
    { server: "abydos", error: "agent of abydos: GET /v1/routes/explain: connection refused" },
    {
      server: "langara",
      prefix: "203.0.113.1/32",
      announced: true,
      verdict:
        "announced via 198.51.100.100 (the OVN router's address on the uplink): external route of instance dns/ns1 (eth0 on dns)",
      refused: [
        {
          prefix: "203.0.113.1/32",
          source: "external route of instance dns/ns2 (eth0 on dns)",
          code: "elsewhere",
          why: "the instance is on abydos",
        },
      ],
      coveredBy: [],
    },
  ],
};

const STATUS: StatusAnswer = {
  server: "langara",
  version: "0.1.0",
  ready: true,
  draining: false,
  startedAt: "2026-01-01T00:00:00.000Z",
  lxd: {
    connected: false,
    error: "no answer within 15000 ms",
    since: "2026-01-01T01:00:00.000Z",
    parts: { instances: { readAt: "2026-01-01T00:59:00.000Z" } },
  },
  members: [{ name: "langara", status: "Online" }],
  instances: 63,
  networks: 13,
  routes: { announced: 24, refused: 30 },
  checks: { passing: 2, failing: 1, pending: 0, unknown: 0 },
  sessions: [],
  problems: ['instance web/c1: user.trivet.announce.med: "low" must be a number; it is ignored until it is corrected'],
};

const HEALTH: HealthAnswer = {
  server: "langara",
  checks: [
    {
      project: "dns",
      instance: "ns1",
      check: "check",
      target: "dns:///example.net?type=SOA",
      address: "2001:db8::10",
      state: "passing",
      verdict: "passing",
      since: "2026-01-01T00:00:01.000Z",
    },
    {
      project: "web",
      instance: "c1",
      device: "eth0",
      check: "ready",
      target: "http://:8080/ready",
      state: "unknown",
      verdict: "failing",
      since: "2026-01-01T00:00:02.500Z",
      error: "LXD does not answer",
      next: "2026-01-01T00:00:03.000Z",
    },
  ],
};

const JOURNAL = { changes: 0, records: 0 };
const DNS: Omit<DnsStatus, "counters"> = {
  listen: ["192.0.2.1:53"],
  anycast: [
    { address: "203.0.113.53", answers: true },
    { address: "2001:db8::53", answers: false, why: "its name server does not answer on it" },
  ],
  zones: [
    { origin: "hive.example.net.", serial: 1_800_000_001, records: 190, behind: false, journal: JOURNAL },
    { origin: "8.b.d.0.1.0.0.2.ip6.arpa.", serial: undefined, records: 80, behind: true, journal: JOURNAL },
  ],
  secondaries: [
    {
      zone: "hive.example.net.",
      target: "198.51.100.53:53",
      serial: 1_800_000_001,
      state: "failed",
      attempts: 7,
      problem: "did not answer",
    },
  ],
  problems: [
    { where: "instance web/c1", key: "user.dns.records", why: "c1 NS: only the zone itself may have this type" },
  ],
};

const RECORDS: RecordView[] = [
  { record: "c1.web.hive.example.net. 60 IN A 10.0.0.10", why: "instance web/c1 (eth0 on web/web, internal)" },
];

const ZONE: ZoneView = {
  origin: "hive.example.net.",
  serial: 1_800_000_001,
  records: [
    "hive.example.net. 60 IN SOA ns1.example.net. hostmaster.hive.example.net. 1800000001 3600 600 1209600 60",
    "hive.example.net. 86400 IN NS ns1.example.net.",
    "c1.web.hive.example.net. 60 IN A 10.0.0.10",
  ],
};

const answers: Record<string, unknown> = {
  "/v1/routes": ROUTES,
  "/v1/routes/explain": EXPLAIN,
  "/v1/status": STATUS,
  "/v1/health": HEALTH,
  "/v1/dns": DNS,
  "/v1/dns/zone": ZONE,
};

beforeAll(async () => {
  server = createServer(({ url = "" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://agent");
    if (pathname === "/v1/dns/records") {
      const known = [null, "c1.web.hive.example.net"].includes(searchParams.get("name"));
      return void response.end(JSON.stringify(known ? RECORDS : []));
    }
    const refused = searchParams.get("prefix") === "nonsense";
    response.statusCode = refused ? 400 : 200;
    response.end(JSON.stringify(refused ? { error: 'prefix: "nonsense" is no IP address' } : answers[pathname]));
  });
  server.listen(socket);
  await once(server, "listening");
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(...argv: string[]) {
  const out = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: string) => void (out[name] += text) });
  const status = await trivet([...argv, "--socket", socket], {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    env: {},
  });
  return { ...out, status };
}

describe("trivet routes", () => {
  test("lists what is announced, with what asks for it", async () => {
    const { stdout, status } = await run("routes", "--refused");
    expect(status).toBe(0);
    expect(stdout).toBe(`PREFIX          NEXT HOP        ATTRIBUTES                  WHY
203.0.113.1/32  198.51.100.100  communities 65010:53 med 5  external route of instance dns/ns1 (eth0 on dns) (and 1 more)
2001:db8::/64   self                                        subnet of network default/br0; held back: its gateway is on abydos, which is drained

Not announced:
PREFIX          WHAT                                             WHY NOT
203.0.113.9/32  external route of instance web/c9 (eth0 on web)  the instance is stopped
`);
  });

  test("--explain tells of every server, also of one that could not be asked", async () => {
    const { stdout } = await run("routes", "--explain", "203.0.113.1");
    expect(stdout).toBe(`203.0.113.1/32
  abydos: could not be asked: agent of abydos: GET /v1/routes/explain: connection refused
  langara: announced via 198.51.100.100 (the OVN router's address on the uplink): external route of instance dns/ns1 (eth0 on dns)
    not for: external route of instance dns/ns2 (eth0 on dns): the instance is on abydos
`);
  });

  test("--json is the API's answer", async () => {
    expect(JSON.parse((await run("routes", "--json")).stdout)).toEqual(ROUTES);
    expect(JSON.parse((await run("routes", "--explain", "x", "--json")).stdout)).toEqual(EXPLAIN);
  });

  test("what is no prefix is one line", async () => {
    const { stderr, status } = await run("routes", "--explain", "nonsense");
    expect(stderr).toMatch(/^trivet: .*prefix: "nonsense" is no IP address\n$/);
    expect(status).toBe(1);
  });
});

describe("trivet status", () => {
  test("says what is wrong and since when, and ends with 4 while no session stands", async () => {
    const { stdout, status } = await run("status");
    expect(status).toBe(4);
    expect(stdout).toContain(
      "since 2026-01-01T01:00:00.000Z: no answer within 15000 ms; what is known is as of 2026-01-01T00:59:00.000Z",
    );
    expect(stdout).toContain("problem: instance web/c1");
    expect(stdout).toContain("2 passing, 1 failing (`trivet health` lists them)");
  });
});

describe("trivet health", () => {
  test("lists each check, with what counts while it cannot be checked, and ends with 1 unless all pass", async () => {
    const { stdout, status } = await run("health");
    expect(status).toBe(1);
    expect(stdout)
      .toBe(`INSTANCE  CHECK       STATE                 SINCE                 NEXT    TARGET                       LAST ERROR
dns/ns1   check       passing               2026-01-01T00:00:01Z  now     dns:///example.net?type=SOA
web/c1    eth0/ready  unknown, was failing  2026-01-01T00:00:02Z  in 0 s  http://:8080/ready           LXD does not answer
`);
    expect(JSON.parse((await run("health", "--json")).stdout)).toEqual(HEALTH);
  });

  test("does not say that all is well before the agent has read LXD", async () => {
    answers["/v1/health"] = { server: "", checks: [] } satisfies HealthAnswer;
    onTestFinished(() => void (answers["/v1/health"] = HEALTH));
    expect(await run("health")).toMatchObject({
      status: 1,
      stdout: "the agent has not read LXD yet, and knows of no checks\n",
    });
  });

  test("without checks, there is nothing that fails", async () => {
    answers["/v1/health"] = { server: "langara", checks: [] } satisfies HealthAnswer;
    onTestFinished(() => void (answers["/v1/health"] = HEALTH));
    expect(await run("health")).toMatchObject({
      status: 0,
      stdout: "no instance on langara has a health check\n",
    });
  });
});

describe("trivet dns", () => {
  test("status: zones with their serials, what waits, what was not used", async () => {
    expect((await run("dns", "status")).stdout).toBe(`answering on 192.0.2.1:53
anycast 203.0.113.53: announced
anycast 2001:db8::53: withdrawn: its name server does not answer on it

ZONE                       SERIAL      RECORDS
hive.example.net.          1800000001  190
8.b.d.0.1.0.0.2.ip6.arpa.  -           80       newer content waits for its serial

SECONDARY         ZONE               TOLD
198.51.100.53:53  hive.example.net.  1800000001  failed: did not answer
not used: instance web/c1: user.dns.records: c1 NS: only the zone itself may have this type
`);
  });

  test("records, and why they are there", async () => {
    expect((await run("dns", "records")).stdout).toBe("c1.web.hive.example.net. 60 IN A 10.0.0.10\n");
    expect((await run("dns", "explain", "c1.web.hive.example.net")).stdout).toBe(
      "c1.web.hive.example.net. 60 IN A 10.0.0.10\n    instance web/c1 (eth0 on web/web, internal)\n",
    );
    expect((await run("dns", "explain", "nobody.example")).stdout).toBe("there are no such records\n");
    expect(JSON.parse((await run("dns", "records", "--json")).stdout)).toEqual(RECORDS);
  });

  test("zone: as it is answered, as a zone file", async () => {
    expect((await run("dns", "zone", "hive.example.net")).stdout).toBe(`${ZONE.records.join("\n")}\n`);
    expect(JSON.parse((await run("dns", "zone", "hive.example.net", "--json")).stdout)).toEqual(ZONE);
  });

  describe("axfr, from a real server that wants a key", () => {
    const secret = "c2VjcmV0c2VjcmV0c2VjcmV0";
    let dns: DnsServer;
    let at: string;

    beforeAll(async () => {
      const zones = new ZoneStore();
      const origin = Name.parse(ZONE.origin);
      zones.replace(Zone.build(origin, readZoneFile(ZONE.records.join("\n"), { origin })));
      dns = new DnsServer(zones, {
        listen: [{ address: "127.0.0.1", port: 0 }],
        keys: [{ name: "transfer", algorithm: "hmac-sha256", secret }],
        transfers: [{ key: "transfer" }],
      });
      at = `@127.0.0.1:${(await dns.start())[0]?.port ?? 0}`;
    });
    afterAll(async () => {
      await dns.stop();
    });
    const keyFile = (text: string): string => {
      const path = join(folder, "key");
      writeFileSync(path, text);
      return path;
    };

    test.each([
      ["as tsig-keygen writes it", `key "transfer" {\n\talgorithm hmac-sha256;\n\tsecret "${secret}";\n};\n`],
      ["as dig takes it", `hmac-sha256:transfer:${secret}\n`],
      ["without its algorithm", `transfer:${secret}`],
    ])("with the key %s", async (_, text) => {
      const { stdout, status } = await run("dns", "axfr", at, "hive.example.net", "--tsig-file", keyFile(text));
      expect([status, stdout]).toEqual([0, `${ZONE.records.join("\n")}\n`]);
    });

    test("--json", async () => {
      const key = keyFile(`transfer:${secret}`);
      const { stdout } = await run("dns", "axfr", at, "hive.example.net", "--tsig-file", key, "--json");
      expect(JSON.parse(stdout)).toEqual({ zone: "hive.example.net", records: ZONE.records });
    });

    test.each([
      ["without a key", undefined, 69, "transfer refused: REFUSED"],
      ["with another secret", "transfer:b3RoZXI=", 69, "BADSIG"],
      ["with another name", `other:${secret}`, 69, "BADKEY"],
      ["with what is no key", "secret", 1, "holds no TSIG key; write it as hmac-sha256:NAME:SECRET"],
      ["with an algorithm of old", `hmac-md5:transfer:${secret}`, 1, "is no TSIG algorithm"],
    ])("%s it says what is wrong", async (_, text, status, why) => {
      const key = text === undefined ? [] : ["--tsig-file", keyFile(text)];
      const result = await run("dns", "axfr", at, "hive.example.net", ...key);
      expect([result.status, result.stdout]).toEqual([status, ""]);
      expect(result.stderr).toContain(why);
    });

    test("from what is no address", async () => {
      const result = await run("dns", "axfr", "@ns1.example.net", "hive.example.net");
      expect(result.status).toBe(1);
      expect(result.stderr).toContain("ns1.example.net is no address of a server; write it as 192.0.2.53");
    });
  });
});
