import type { Context } from "../context.ts";
import type { Cluster } from "../model.ts";
import { firstOfEach } from "./twice.ts";

export function checkRouting(context: Context, cluster: Cluster): void {
  const { routing } = cluster;
  if (routing === undefined) return;
  const numbers = firstOfEach<string>();
  for (const router of routing.routers) {
    const other = numbers(router.number, router.name);
    if (other !== undefined)
      context.report(["routing", "routers", router.name], {
        code: "number-twice",
        message: `${router.name} has the number ${router.number}, as ${other} has: their addresses would be the same`,
        remedy: "add number: with another",
        key: true,
      });
  }
  const wan = cluster.vlans.find(({ role }) => role === "wan");
  for (const upstream of routing.upstreams) {
    const path = ["routing", "upstreams", upstream.name];
    if (wan === undefined)
      context.report(path, {
        code: "wan-missing",
        message: `no network has the role wan, over which ${upstream.name} would be reached`,
        remedy: "add one under vlans:",
        key: true,
      });
    for (const [index, address] of upstream.addresses.entries()) {
      if (wan === undefined) continue;
      const reached = routing.routers.every(({ interfaces }) =>
        interfaces.some(
          ({ role, addresses }) => role === "wan" && addresses.some(({ prefix }) => prefix.contains(address)),
        ),
      );
      if (!reached)
        context.report([...path, "addresses", index], {
          code: "upstream-unreachable",
          message: `${address.toString()} is on no subnet that every router has an address on in ${wan.name}, ${wan.subnets.map(({ prefix }) => prefix.toString()).join(", ") || "which has none"}`,
          remedy: `correct it, or the subnets of ${wan.name}, or give the routers wan: addresses`,
        });
    }
    if (upstream.asn === routing.asn)
      context.report([...path, "asn"], {
        code: "same-asn",
        message: `${upstream.name} has your own AS number ${upstream.asn}`,
        remedy: "write the provider's",
      });
  }
  const written = context.file.routing?.announce ?? [];
  for (const [index, prefix] of written.entries())
    if (!cluster.addresses.some((ours) => ours.contains(prefix)))
      context.report(["routing", "announce", index], {
        code: "not-yours",
        message: `${prefix.toString()} is not among your addresses, ${cluster.addresses.join(", ") || "of which there are none"}`,
        remedy: "add it to the top-level addresses:, or do not announce it",
      });
}
