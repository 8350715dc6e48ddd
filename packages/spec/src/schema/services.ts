import * as z from "zod";
import { address, domainName, instanceRef, label, port, prefix } from "./common.ts";

const instances = z.array(instanceRef).min(1).describe("Where it runs.");

const record = z.strictObject({
  name: z.string().default("@").describe("Relative to the zone; @ is the zone itself."),
  type: z.enum(["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT", "CAA"]),
  value: z.string().describe("As in a zone file."),
});

export const dns = z.strictObject({
  fallback: z
    .array(address)
    .default([])
    .describe("Resolvers outside the cluster, for the servers when its own are not up yet."),
  ttl: z.int().min(1).max(604_800).default(300),
  zones: z
    .record(
      domainName,
      z.strictObject({
        records: z.array(record).default([]),
        serial: z
          .int()
          .min(1)
          .max(4_294_967_295)
          .default(1)
          .describe("Raise it with each change, if there are secondaries."),
        secondaries: z.array(address).default([]),
      }),
    )
    .default({})
    .describe("Forward and reverse zones. The agents serve them from LXD's state; nameservers transfer them."),
  nameservers: z
    .strictObject({ instances, addresses: z.array(address).default([]) })
    .optional()
    .describe("NSD: the public name servers."),
  resolvers: z
    .strictObject({
      instances,
      addresses: z.array(address).default([]),
      forward: z.array(address).default([]),
      allow: z.array(prefix).optional().describe("Who may ask. Default: `addresses`, and the networks of the cluster."),
    })
    .optional()
    .describe("unbound: what instances and servers ask."),
});

export const services = z.strictObject({
  nat64: z
    .strictObject({
      instances,
      engine: z.enum(["tayga", "jool"]).default("tayga"),
      prefix: prefix.optional().describe("Default: 64:ff9b::/96, and the resolvers synthesise it (DNS64)."),
      pool: prefix.describe("IPv4 addresses that inner hosts appear as."),
    })
    .optional(),
  haproxy: z
    .strictObject({
      instances,
      addresses: z.array(address).default([]).describe("Where it listens. Default: everywhere."),
      sites: z
        .record(
          domainName,
          z.strictObject({
            backends: z.array(instanceRef).min(1),
            port: port.default(80),
            check: z.string().default("/").describe("Path of the health check."),
          }),
        )
        .default({}),
      certificate: z.string().default("/etc/haproxy/certs/").describe("File or folder on the instance."),
    })
    .optional(),
  proxy: z
    .strictObject({
      instances,
      port: port.default(3128),
      allow: z
        .array(z.string())
        .default([])
        .describe("Domains that may be reached; .example.net includes what is below it."),
    })
    .optional()
    .describe("squid: the way out for instances that have no other."),
});

export const monitoring = z.strictObject({
  instances: instances.optional(),
  external: z
    .boolean()
    .default(false)
    .describe("Prometheus runs outside the cluster, so that it sees the cluster fail."),
  retention: z
    .string()
    .regex(/^\d+[hdwy]$/, "is no time; write it like 30d")
    .default("90d"),
  snmp: z.array(label).default([]).describe("Switches that are asked by SNMP."),
});

export const maintenance = z.strictObject({
  reboot: z
    .strictObject({
      every: z.enum(["day", "week", "month"]).default("week"),
      day: z.enum(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]).default("sunday"),
      at: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "is no time of day; write it like 04:30")
        .default("04:00"),
    })
    .optional()
    .describe("Every server in turn, drained and gated."),
  ntp: z.array(z.union([domainName, z.string()])).default(["0.pool.ntp.org", "1.pool.ntp.org"]),
});
