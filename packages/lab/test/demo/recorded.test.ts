import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { World } from "../../src/demo/world.ts";

const trivet = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));
const fixture = new URL("../sim/fixtures/lxd-5.0.2.json", import.meta.url);
const recorded = JSON.parse(readFileSync(fixture, "utf8")) as Record<
  string,
  { calls: { method: string; path: string }[] }
>;

/** A call without what names one thing of many: `GET /1.0/networks/*?recursion=1`. */
function pattern(method: string, url: string): string {
  const { pathname, searchParams } = new URL(url, "http://lxd");
  const path = pathname.replaceAll(
    /\/(networks|network-zones|records|forwards|instances|members|projects|profiles)\/[^/]+/g,
    "/$1/*",
  );
  const recursion = searchParams.get("recursion");
  return `${method} ${path}${recursion === null ? "" : `?recursion=${recursion}`}`;
}

test("whatever the agents ask of LXD was recorded from a real one (if not, add it to fixtures/capture)", async () => {
  const known = new Set(
    Object.values(recorded).flatMap(({ calls }) => calls.map((call) => pattern(call.method, call.path))),
  );
  const asked = new Set<string>();
  await using world = await World.create([process.execPath, trivet], new AbortController().signal);
  world.cluster.on("request", ({ method, url }) => asked.add(pattern(method, url)));
  for (const agent of world.agents.values()) agent.start();
  await world.settled();
  expect(asked).toContain("GET /1.0/instances?recursion=1");
  const events = pattern("GET", "/1.0/events"); // recorded as the events themselves
  expect([...asked].filter((call) => call !== events && !known.has(call))).toEqual([]);
}, 90_000);
