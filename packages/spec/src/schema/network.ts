import * as z from "zod";
import { address, interfaceName, mtu, prefix } from "./common.ts";

export const ROLES = ["wan", "uplink", "hosts", "underlay", "bmc"] as const;

const subnet = {
  ipv6: prefix.optional().describe("Default: from `addresses.ipv6`, with the VLAN's number as subnet number."),
  ipv4: prefix.optional(),
};

const vlanBody = z.strictObject({
  id: z.int().min(1).max(4094).optional().describe("The 802.1Q tag; without it the network is untagged."),
  role: z
    .enum(ROLES)
    .optional()
    .describe(
      "wan: the provider; uplink: OVN's routers; hosts: the servers themselves; underlay: between the servers, where no mesh is; bmc: management. Default: its name, if that is one of these.",
    ),
  bridge: interfaceName.optional().describe("Default: br-ROLE."),
  mtu: mtu.optional().describe("Default 1500; underlay 9000."),
  link: interfaceName.optional().describe("The link that carries it. Default: the first link to a switch."),
  ...subnet,
  gateway: z.array(address).optional().describe("Default: number 1 of each subnet, held by the routers with VRRP."),
  vrid: z.int().min(1).max(255).optional().describe("VRRP group. Default: from the VLAN's number."),
  ranges: z
    .array(z.string().regex(/^[0-9a-fA-F:.]+-[0-9a-fA-F:.]+$/, "is no range; write FIRST-LAST"))
    .optional()
    .describe("On the uplink: the addresses OVN may take for its routers. Default: the upper half of each subnet."),
  anycast: z
    .boolean()
    .default(true)
    .describe("On the uplink: several instances may hold the same address (routed ingress)."),
});
export const vlan = z
  .union([z.int().min(1).max(4094), vlanBody])
  .describe("A network on the switch; a number alone is its tag.");

export const mesh = z.strictObject({
  ipv6: prefix.optional().describe("Default: subnet 1 of `addresses.ipv6`."),
  ipv4: prefix.optional(),
  mtu: mtu.default(9000),
});

export const addresses = z.strictObject({
  ipv6: prefix.optional().describe("What the provider routes to you; trivet plans subnets from it."),
  ipv4: prefix.optional().describe("Likewise; small, so instances get its addresses one by one."),
});

export const ovn = z.strictObject({
  central: z.array(z.string()).optional().describe("Servers that hold the databases. Default: three, by number."),
  bfd: z
    .strictObject({
      minRx: z.int().min(50).max(10_000).default(100),
      minTx: z.int().min(50).max(10_000).default(100),
      multiplier: z.int().min(2).max(10).default(3),
    })
    .prefault({})
    .describe("How fast a dead gateway chassis is noticed, in milliseconds. OVN's own default takes seconds."),
  bootstrap: z
    .boolean()
    .default(false)
    .describe("The first server creates the databases instead of joining them: true once, for the first start ever."),
  ssl: z.boolean().default(false).describe("Database clients speak TLS."),
});
