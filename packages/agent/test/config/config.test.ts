import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { announceConfig, findRouterId, speakerOptions } from "../../src/config/convert.ts";
import { ConfigError, ConfigFileError, loadConfig, parseConfig } from "../../src/config/load.ts";
import { reference } from "./reference.ts";

const MINIMAL = "asn: 65010\npeers: [{address: 127.0.0.1, asn: 65000}]\nallow: [203.0.113.0/27]\n";
const folder = mkdtempSync(join(tmpdir(), "trivet-config-"));

afterAll(() => rmSync(folder, { recursive: true }));

function refusal(text: string): ConfigError {
  try {
    parseConfig("agent.yaml", text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`this was accepted:\n${text}`);
}

describe("agent.yaml", () => {
  test("three lines suffice", () => {
    const config = parseConfig("agent.yaml", MINIMAL);
    expect(config).toMatchObject({
      asn: 65010,
      peers: [{ address: "127.0.0.1", asn: 65000, port: 179, holdTime: 90, families: [4, 6] }],
      addresses: false,
      lxd: { timeout: 15, resync: 60 },
      api: { socket: "/run/trivet/agent.sock", tls: { enabled: true, port: 8444 } },
      log: "info",
    });
    expect(announceConfig(config)).toEqual({ allow: config.allow, addresses: false, attributes: [] });
  });

  test("becomes the speaker's options", () => {
    const config = parseConfig("agent.yaml", `${MINIMAL}gracefulRestart: {restartTime: 10}\n`);
    expect(speakerOptions(config, "192.0.2.1")).toMatchObject({
      asn: 65010,
      routerId: "192.0.2.1",
      holdEndOfRib: true,
      peers: [{ address: "127.0.0.1", asn: 65000, gracefulRestart: { restartTime: 10 } }],
    });
    const without = parseConfig("agent.yaml", `${MINIMAL}gracefulRestart: {enabled: false}\n`);
    expect(speakerOptions(without, "192.0.2.1").peers?.[0]).not.toHaveProperty("gracefulRestart");
  });

  test("communities are read as operators write them", () => {
    const rules =
      'attributes: [{match: 203.0.113.1/32, communities: ["65010:53", no-export], largeCommunities: ["65010:1:2"], med: 5}]\n';
    const [rule] = announceConfig(parseConfig("agent.yaml", MINIMAL + rules)).attributes;
    expect(rule?.match.toString()).toBe("203.0.113.1/32");
    expect(rule?.attributes).toMatchObject({ communities: [65010 * 65536 + 53, 0xffffff01], med: 5 });
    expect(rule?.attributes.largeCommunities).toHaveLength(1);
  });

  test("the router id is the server's address towards its first IPv4 peer", async () => {
    expect(await findRouterId(parseConfig("a", MINIMAL))).toBe("127.0.0.1");
    expect(await findRouterId(parseConfig("a", `${MINIMAL}routerId: 192.0.2.9\n`))).toBe("192.0.2.9");
    // The kernel refuses it as it would an address without a route.
    const unreachable = MINIMAL.replace("127.0.0.1", "255.255.255.255");
    await expect(findRouterId(parseConfig("a", unreachable))).rejects.toMatchObject({ fault: "world" });
    await expect(findRouterId(parseConfig("a", unreachable))).rejects.toThrow(
      /^no router id: .*; set routerId in agent.yaml/,
    );
  });

  test("a password comes from its file, without the last newline", () => {
    const secret = join(folder, "secret");
    const path = join(folder, "agent.yaml");
    writeFileSync(secret, "s3cret\n");
    writeFileSync(path, MINIMAL.replace("asn: 65000", `asn: 65000, passwordFile: ${secret}`));
    const [peer] = loadConfig(path).peers;
    expect(peer).toMatchObject({ password: "s3cret" });
    expect(peer).not.toHaveProperty("passwordFile");
  });
});

describe("a wrong agent.yaml is refused with place and remedy", () => {
  test.each([
    ["an unknown key", `${MINIMAL}alow: []\n`, /^agent.yaml:4:1: unknown key "alow"; did you mean allow\?$/],
    ["a missing allow", MINIMAL.replace(/allow.*\n/, ""), /"allow" is missing; add allow:$/],
    [
      "an empty allow",
      MINIMAL.replace("[203.0.113.0/27]", "[]"),
      /^agent.yaml:3:\d+: "allow" must have at least 1 entry/,
    ],
    [
      "host bits",
      MINIMAL.replace(".0/27", ".1/27"),
      /^agent.yaml:3:9: .*host bits set; the network is 203.0.113.0\/27/,
    ],
    ["octal", MINIMAL.replace("127.0.0.1", "127.00.0.1"), /^agent.yaml:2:\d+: .*leading zero/],
    ["no AS number", MINIMAL.replace("65010", "AS65010"), /^agent.yaml:1:6: .*"asn" must be a number/],
    ["AS 0", MINIMAL.replace("65010", "0"), /^agent.yaml:1:6: /],
    ["a short hold time", MINIMAL.replace("asn: 65000", "asn: 65000, holdTime: 2"), /holdTime/],
    [
      "two passwords",
      MINIMAL.replace("asn: 65000", "asn: 65000, password: a, passwordFile: b"),
      /both password and passwordFile/,
    ],
    ["an IPv6 router id", `${MINIMAL}routerId: "::1"\n`, /^agent.yaml:4:11: .*IPv4/],
    [
      "a wrong community",
      `${MINIMAL}attributes: [{match: 203.0.113.1/32, communities: ["65010"]}]\n`,
      /^agent.yaml:4:\d+: .*65010/,
    ],
    [
      "a link-local router without its interface",
      MINIMAL.replace("127.0.0.1", '"fe80::1"'),
      /^agent.yaml:2:\d+: .*link-local and needs its interface; write it as fe80::1%br-uplink$/,
    ],
    [
      "a link-local address to watch",
      `${MINIMAL}gateway: {servers: {a: ["fe80::1"]}}\n`,
      /^agent.yaml:4:\d+: .*link-local, and so no address of a server to others/,
    ],
    [
      "an address to watch twice",
      `${MINIMAL}gateway: {servers: {a: [192.0.2.1], b: [192.0.2.1]}}\n`,
      /^agent.yaml:4:\d+: .*has an address twice/,
    ],
    ["broken YAML", "asn: [65010\n", /^agent.yaml:\d+:\d+: /],
    [
      "two routers of one address",
      MINIMAL.replace("}]", "}, {address: 127.0.0.1, asn: 65001, name: b}]"),
      /^agent.yaml:2:\d+: peers\[1\].address is 127.0.0.1, as that of peers\[0\]; it must be unique$/,
    ],
    [
      "two routers of one name",
      MINIMAL.replace("}]", ", name: a}, {address: 127.0.0.2, asn: 65001, name: a}]"),
      /^agent.yaml:2:\d+: peers\[1\].name is a, as that of peers\[0\]; it must be unique$/,
    ],
    [
      "router id 0.0.0.0",
      `${MINIMAL}routerId: 0.0.0.0\n`,
      /^agent.yaml:4:11: routerId is 0.0.0.0; write it as an IPv4/,
    ],
    [
      "no router id, and none to be found",
      MINIMAL.replace("127.0.0.1", '"2001:db8::1"'),
      /^agent.yaml:2:\d+: "peers" have IPv6 addresses alone, and give no router id; set routerId to an IPv4 address/,
    ],
    [
      "waiting for a router, and listening nowhere",
      MINIMAL.replace("asn: 65000", "asn: 65000, passive: true"),
      /^agent.yaml:2:\d+: "passive" is true, but nothing is listened on, so that no session ever comes up; add listen/,
    ],
    [
      "a local address of the other family",
      MINIMAL.replace("asn: 65000", 'asn: 65000, localAddress: "2001:db8::1"'),
      /^agent.yaml:2:\d+: "localAddress" is of another IP version than the router's address; write one of the same$/,
    ],
    [
      "another agent's address without a port",
      `${MINIMAL}api: {servers: {a: "https://192.0.2.1"}}\n`,
      /^agent.yaml:4:\d+: "a" is neither an address nor a path; write it as https:\/\/HOST:PORT, or/,
    ],
    [
      "another agent's address without a scheme",
      `${MINIMAL}api: {servers: {a: "192.0.2.1:8444"}}\n`,
      /^agent.yaml:4:\d+: "a" is neither an address nor a path/,
    ],
    [
      "a check's instances without their project",
      `${MINIMAL}health: {checks: [{name: a, instances: [x], check: "tcp://:25"}]}\n`,
      /^agent.yaml:4:\d+: entry 1 of instances has no project, or no name; write it as PROJECT\/NAME$/,
    ],
    [
      "a check's name",
      `${MINIMAL}health: {checks: [{name: A_b, instances: [a/b], check: "tcp://:25"}]}\n`,
      /^agent.yaml:4:\d+: "name" has other characters than a name may, or more than 40; write it with a-z, 0-9 and -$/,
    ],
  ])("%s", (_, text, message) => {
    const { message: line } = refusal(text);
    expect(line).toMatch(message);
    expect(line).not.toContain("\n");
  });

  test("the report shows each fault with the line and a caret", () => {
    const { report } = refusal("asn: 65010\nallow: [203.0.113.1/27]\npeers: [{address: 1, asn: 65000}]\n");
    expect(report.match(/\^/g)?.length).toBeGreaterThanOrEqual(2);
    expect(report).toContain("2 | allow: [203.0.113.1/27]");
  });

  test("neither the line nor the report shows a secret, in whatever line it stands", () => {
    for (const [text, secret] of [
      [MINIMAL.replace("asn: 65000", "asn: 65000, password: 1234567890"), "1234567890"],
      [MINIMAL.replace("asn: 65000", 'asn: 0, "password": "very \\" quiet"'), "quiet"],
      [`${MINIMAL}dns: {keys: [{name: x, secret: c2VjcmV0, algorithm: 5}]}\n`, "c2VjcmV0"],
    ] as const) {
      const { message, report } = refusal(text);
      expect(message + report).not.toContain(secret);
      expect(report).toMatch(/(?:password"?|secret): •+/);
    }
  });

  test("a password file is as good as the password in it", () => {
    const secret = join(folder, "long");
    const path = join(folder, "long.yaml");
    writeFileSync(secret, "x".repeat(81));
    writeFileSync(path, MINIMAL.replace("asn: 65000", `asn: 65000, passwordFile: ${secret}`));
    expect(() => loadConfig(path)).toThrow(/long.yaml:2:\d+: peers\[0\].password has 81 octets in UTF-8; it may have/);
  });

  test.each(["https://192.0.2.1:8444", "https://[2001:db8::1]:8444", "https://b.example.net:443/", "/run/b.sock"])(
    "another agent may be at %s",
    (where) => {
      const { api } = parseConfig("agent.yaml", `${MINIMAL}api: {servers: {b: "${where}"}}\n`);
      expect(api.servers).toEqual({ b: where });
    },
  );

  test("a file that is not there is named", () => {
    expect(() => loadConfig("/nonexistent/agent.yaml")).toThrow(ConfigFileError);
    expect(() => loadConfig("/nonexistent/agent.yaml")).toThrow(
      "/nonexistent/agent.yaml: cannot read this configuration file: there is no such file",
    );
  });
});

describe("the files beside the code", () => {
  test("docs/agent-config.md is what the schema says", async () => {
    await expect(reference()).toMatchFileSnapshot("../../../../docs/agent-config.md");
  });

  test("the example configuration is valid, also with every commented line in force", () => {
    const text = readFileSync(new URL("../../system/agent.yaml", import.meta.url), "utf8");
    expect(parseConfig("agent.yaml", text).asn).toBe(65010);
    const everything = parseConfig("agent.yaml", text.replace(/^#(?=\S| {2}-)/gm, ""));
    expect(everything).toMatchObject({ uplinks: ["UPLINK"], projects: ["default"], addresses: true });
    expect(everything.peers).toHaveLength(2);
    expect(everything.attributes).toHaveLength(1);
  });
});
