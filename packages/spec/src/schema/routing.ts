import * as z from "zod";
import { address, asn, interfaceAddress, interfaceName, label, name, prefix, secret } from "./common.ts";

const router = z.strictObject({
  on: name
    .optional()
    .describe("The server it runs on, never moving. Default: the server at the same place in the list."),
  number: z
    .int()
    .min(1)
    .max(89)
    .optional()
    .describe("Makes its addresses (10 + number). Default: the number its name ends in."),
  priority: z
    .int()
    .min(1)
    .max(254)
    .optional()
    .describe("VRRP: the highest is the gateway. Default: in order, 250, 240, and evenly down to 20."),
  wan: z
    .array(interfaceAddress)
    .optional()
    .describe("Its addresses towards the provider, with prefix length. Default: planned on the wan network."),
});

const upstream = z.strictObject({
  asn,
  addresses: z.array(address).min(1).describe("The provider's router; one session each."),
  line: label.default("uplink").describe("The cable or fibre it is reached over: what fails together."),
  password: secret.optional().describe("TCP-MD5 password of the sessions."),
  bfd: z
    .boolean()
    .default(false)
    .describe("The provider's router speaks BFD: its death is noticed at once, not after 30 s."),
});

export const routing = z.strictObject({
  asn: asn.describe("Yours, or the private one the provider gave you."),
  routers: z.record(name, router).describe("FRR in containers, one on each server."),
  upstreams: z
    .record(label, upstream)
    .default({})
    .describe("The provider's routers. None: the gateway on the wan network is static."),
  announce: z.array(prefix).optional().describe("To the provider. Default: `addresses`."),
  lines: z
    .record(label, z.strictObject({ to: name.describe("The switch it ends in."), power: z.array(label).optional() }))
    .default({})
    .describe("Lines to the provider. Default: `uplink`, in the first switch."),
  vrrp: z.enum(["keepalived", "frr"]).default("keepalived"),
  advertisementInterval: z
    .int()
    .min(10)
    .max(40_950)
    .multipleOf(10)
    .default(300)
    .describe(
      "VRRP: milliseconds between two signs of life of a gateway. Another router takes over after three to four.",
    ),
  bfd: z
    .strictObject({
      interval: z.int().min(10).max(60_000).default(300).describe("Milliseconds between two packets, each way."),
      multiplier: z.int().min(2).max(255).default(3).describe("So many missing ones are a failure."),
    })
    .prefault({})
    .describe("How soon agents, routers and providers notice that the other is dead."),
  trackUpstream: z
    .boolean()
    .default(true)
    .describe("A router without a session to the provider leaves the gateway address to one that has."),
  agents: z
    .strictObject({ asn: asn.optional().describe("Default: the same as the routers'."), password: secret.optional() })
    .prefault({})
    .describe("The trivet agents on the servers, which announce instances to the routers."),
  nullRoute: z.boolean().default(true).describe("Blackhole what is announced and not in use, so it cannot loop."),
  filters: z
    .boolean()
    .default(true)
    .describe("Prefix lists both ways: nothing else is announced, nothing of yours is accepted."),
  interfaces: z
    .record(label, interfaceName)
    .optional()
    .describe("VLAN: interface inside the routers. Default: the role's name."),
});
