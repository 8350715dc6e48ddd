import * as z from "zod";
import { address, bytes, interfaceName, label, name, prefix, route, secret } from "./common.ts";

const rule = z
  .strictObject({
    action: z.enum(["allow", "reject", "drop"]).default("allow"),
    protocol: z.enum(["tcp", "udp", "icmp4", "icmp6"]).optional(),
    port: z
      .union([
        z.int().min(1).max(65_535),
        z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "is no port list; write it like 80,443 or 8000-8100"),
      ])
      .optional()
      .describe("Destination ports."),
    source: z.string().optional().describe("Addresses, prefixes, another ACL, @internal or @external."),
    destination: z.string().optional().describe("Likewise."),
    state: z.enum(["enabled", "disabled", "logged"]).default("enabled"),
    description: z.string().optional().describe("For people."),
  })
  .meta({ id: "aclRule" });

const acl = z.strictObject({
  description: z.string().optional().describe("For people."),
  ingress: z.array(rule).default([]),
  egress: z.array(rule).default([]),
});

const network = z
  .strictObject({
    ipv6: z
      .union([prefix, z.literal(false)])
      .optional()
      .describe("The public subnet. Default: planned from `addresses.ipv6` by the network's name. false: none."),
    ipv4: z
      .union([prefix, z.literal(false)])
      .optional()
      .describe("Default: none; where an instance has IPv4 routes, a private one by the network's name, behind NAT."),
    nat: z.boolean().default(false).describe("Translate IPv4 to the OVN router's own address."),
    uplink: label.optional().describe("Default: the VLAN with the role uplink."),
    acls: z.array(label).default([]).describe("ACLs of this project, for every instance on the network."),
    default: z.enum(["allow", "reject", "drop"]).optional().describe("What happens to traffic that no ACL names."),
    zone: z.string().optional().describe("DNS zone for the instances' names. Default: the cluster's domain."),
    description: z.string().optional().describe("For people."),
  })
  .describe("An OVN network.");

const instance = z
  .strictObject({
    type: z.enum(["container", "vm"]).default("container"),
    image: z.string().default("ubuntu:24.04"),
    memory: bytes.optional().describe("Limit. Default 1GiB."),
    cores: z.number().positive().max(4096).optional().describe("Limit. Default 1."),
    disk: bytes.optional().describe("Size of the root disk. Default 10GiB."),
    pool: label.optional().describe("Storage pool. Default: the first."),
    network: label.optional().describe("OVN network of this project. Default: its only one."),
    bridges: z
      .record(interfaceName, label)
      .optional()
      .describe("Further interfaces, directly on VLANs: INTERFACE: VLAN."),
    addresses: z.array(address).default([]).describe("Fixed addresses on its network."),
    routes: z
      .array(route)
      .default([])
      .describe("Addresses or prefixes of yours that are routed to it (anycast, if several instances name the same)."),
    acls: z.array(label).default([]),
    on: name.optional().describe("The server it belongs to. Default: anywhere."),
    evacuate: z.enum(["auto", "migrate", "live-migrate", "stop"]).default("auto"),
    stateful: z.boolean().default(false).describe("A VM that may move while it runs (migration.stateful)."),
    devices: z
      .array(z.string())
      .default([])
      .describe("Hardware of its server that it needs, such as a GPU: it cannot move."),
  })
  .describe("A container or virtual machine.");

export const project = z
  .strictObject({
    description: z.string().optional().describe("For people."),
    networks: z.record(interfaceName, network).default({}),
    acls: z.record(label, acl).default({}),
    instances: z.record(name, instance).default({}),
  })
  .describe("An LXD project: instances, their networks and what may reach them.");

export const lxd = z.strictObject({
  version: z.string().default("5.0.2").describe("Decides which keys are rendered."),
  port: z.int().min(1).max(65_535).default(8443),
  trustPassword: secret.optional().describe("Lets servers join (LXD 5.0). Default: join tokens."),
  voters: z.int().min(1).max(9).default(3).describe("Servers that vote in the database."),
  standby: z.int().min(0).max(9).default(2),
  healing: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "Seconds after which instances of an offline server start elsewhere; 0: never, as nothing fences the server.",
    ),
});
