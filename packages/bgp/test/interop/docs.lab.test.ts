import { readFileSync } from "node:fs";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Link, OURS } from "../support/lab-link.ts";

/** The configuration that docs/bgp.md gives for a router. */
function documented(router: string): string {
  const text = readFileSync(new URL("../../../../docs/bgp.md", import.meta.url), "utf8");
  const [, section = ""] = text.split(`\n## ${router}\n`);
  return section.split("```")[1] ?? "";
}

describeLab("docs/bgp.md", { programs: ["bgpd", "zebra", "vtysh", "bird", "birdc"] }, () => {
  let link: Link;
  beforeAll(async () => {
    link = await Link.create();
  });
  afterEach(async () => {
    await link.end();
  });
  afterAll(async () => {
    await link.remove();
  });

  test.each([
    ["FRR", "FRR"],
    ["BIRD", "BIRD 2"],
  ])("%s as it is configured there takes the cluster's routes and no others", async (kind, section) => {
    const extra = documented(section);
    expect(extra).toContain("65001");
    const router = await link.startRouter(kind, {}, { neighbors: [], extra });
    const speaker = await link.startSpeaker({});
    await speaker.announce([
      { prefix: "10.0.0.0/8", nextHop: OURS[4] },
      { prefix: "203.0.113.7/32", nextHop: OURS[4] },
    ]);
    await eventually("the route is there", async () => (await router.count(4)) > 0);
    expect([...(await router.routes(4)).keys()]).toEqual(["203.0.113.7/32"]);
  });
});
