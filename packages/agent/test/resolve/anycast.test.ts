import { DnsServer, Name, Zone, ZoneStore, record } from "@trivet/dns";
import { Prefix } from "@trivet/ip";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Announcer } from "../../src/announce/announce.ts";
import { AnycastWatch } from "../../src/resolve/anycast.ts";
import { snapshot } from "../announce/world.ts";

const ORIGIN = Name.parse("hive.example.net.");
const HERE = "127.0.0.1";
const ELSEWHERE = "203.0.113.53";

/** What is announced of the watch's addresses, and what is not. */
const announce = (...allow: string[]) =>
  new Announcer({ allow: allow.map((text) => Prefix.parse(text)), addresses: false, attributes: [] }).announce(
    snapshot(),
    [],
    watch.services,
  );
const prefixes = (): string[] => [...announce("127.0.0.0/8", "203.0.113.0/24").routes.keys()];

let server: DnsServer;
let port: number;
let watch: AnycastWatch;
let changes: string[];

async function listen(at: number): Promise<void> {
  const zones = new ZoneStore();
  zones.replace(
    Zone.build(ORIGIN, [
      record(ORIGIN, 60, "SOA", "ns1.example.net. admin.example.net. 1 3600 600 1209600 60"),
      record(ORIGIN, 60, "NS", "ns1.example.net."),
    ]),
  );
  server = new DnsServer(zones, { listen: [{ address: HERE, port: at }] });
  port = (await server.start())[0]?.port ?? 0;
}

beforeEach(async () => {
  await listen(0);
  changes = [];
  watch = new AnycastWatch({
    addresses: [HERE, ELSEWHERE],
    port,
    zone: () => ORIGIN,
    onChange: (address, answers) => changes.push(`${address} ${answers ? "answers" : "is silent"}`),
  });
});
afterEach(async () => {
  watch.stop();
  await server.stop();
});

describe("an anycast address", () => {
  test("is announced once a query to it was answered", async () => {
    expect(prefixes()).toEqual([]);
    watch.start();
    await eventually("it answers", () => changes.includes(`${HERE} answers`));
    expect(prefixes()).toEqual([`${HERE}/32`]);
  });

  test("is withdrawn when two queries in a row are not, and announced again when three are", async () => {
    watch.start();
    await eventually("it answers", () => changes.length === 1);
    await server.stop();
    await eventually("it is silent", () => changes.at(-1) === `${HERE} is silent`);
    expect(prefixes()).toEqual([]);
    await listen(port);
    await eventually("it answers again", () => changes.at(-1) === `${HERE} answers`);
    expect(changes).toHaveLength(3);
  });

  test("is not announced before there is a zone to answer for", async () => {
    const zones: Name[] = [];
    watch.stop();
    watch = new AnycastWatch({
      addresses: [HERE],
      port,
      zone: () => zones[0],
      onChange: (_, answers) => changes.push(String(answers)),
    });
    watch.start();
    expect(prefixes()).toEqual([]);
    zones.push(ORIGIN);
    await eventually("it answers", () => changes.length > 0);
    expect(changes).toEqual(["true"]);
  });

  test("that this server does not have is neither listened on nor announced, and says why", () => {
    watch.start();
    expect(watch.here).toEqual([HERE]);
    expect(watch.services.find(({ prefix }) => prefix.toString() === `${ELSEWHERE}/32`)?.silent).toContain(
      "add it to lo",
    );
    const { refused } = announce("0.0.0.0/0");
    expect(refused.map(({ prefix, refusal }) => `${String(prefix)} ${refusal.code}`)).toContain(
      `${ELSEWHERE}/32 silent`,
    );
  });

  test("outside `allow` is never announced", async () => {
    watch.start();
    await eventually("it answers", () => changes.length > 0);
    const { routes, refused } = announce("192.0.2.0/24");
    expect(routes.size).toBe(0);
    expect(refused[0]?.refusal.code).toBe("not-allowed");
  });

  test("is withdrawn when the watch ends", async () => {
    watch.start();
    await eventually("it answers", () => changes.length > 0);
    watch.stop();
    expect(prefixes()).toEqual([]);
  });
});
