import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { example, render, textOf } from "./support.ts";

type Tree = Record<string, unknown>;

/** The published text, with the masked prefixes and the author's domain turned into those of the example. */
function seed(name: string): Tree {
  const text = readFileSync(new URL(`fixtures/seed-${name}.yaml`, import.meta.url), "utf8")
    .replaceAll("2602:XXXX:Y:10::", "2001:db8:10:10::")
    .replaceAll("stgraber.net", "hive.example.net");
  // The author masked two different subnets alike: the mesh's, and that of INFRA-HOSTS below `bridges`.
  const [mesh = "", hosts = ""] = text.split(/(?=^ {2}bridges:)/m);
  return parse(
    mesh.replaceAll("2602:XXXX:Y:ZZZ::", "2001:db8:10:1::") +
      hosts.replaceAll("2602:XXXX:Y:ZZZ::", "2001:db8:10:101::"),
  ) as Tree;
}

/** As netplan joins files: maps key by key, lists one after the other. */
function join(below: Tree, above: Tree): Tree {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const there = result[key];
    if (Array.isArray(there) && Array.isArray(value)) result[key] = [...(there as unknown[]), ...(value as unknown[])];
    else
      result[key] =
        typeof there === "object" && there !== null && typeof value === "object"
          ? join(there as Tree, value as Tree)
          : value;
  }
  return result;
}

describe("the hive example's netplan", () => {
  it("is what the author wrote by hand: bonds, VLANs, bridges, MTUs, link-local and accept-ra settings, mesh addresses and routes", () => {
    const rendered = parse(textOf(render(example("hive")), "servers/abydos/etc/netplan/60-trivet.yaml")) as Tree;
    expect(rendered).toEqual(join(seed("common"), seed("server-2")));
  });

  it("has all of the author's six ports, three bonds, four VLANs and four bridges", () => {
    const { network } = seed("common") as { network: Record<string, Tree> };
    expect(["ethernets", "bonds", "vlans", "bridges"].map((kind) => Object.keys(network[kind] ?? {}).length)).toEqual([
      6, 3, 4, 4,
    ]);
  });
});
