import { Name, readZoneFile } from "@trivet/dns";
import * as z from "zod";
import { templateFault } from "../resolve/template.ts";
import { address, parsed, port, prefix } from "./scalars.ts";

const name = () => parsed((text) => Name.parse(text), "write a domain name, as example.net");

const key = z
  .strictObject({
    name: name().describe("The key's name, the same at both ends"),
    algorithm: z.enum(["hmac-sha256", "hmac-sha384", "hmac-sha512"]).default("hmac-sha256").describe("The algorithm"),
    secret: z.base64().min(1).optional().describe("The secret in base64; better in `secretFile`"),
    secretFile: z.string().min(1).optional().describe("A file with the secret; a last newline does not count"),
  })
  .refine((entry) => (entry.secret === undefined) !== (entry.secretFile === undefined), {
    message: "needs either secret or secretFile",
  });

const forward = z
  .strictObject({
    zone: name().describe("The zone, `hive.example.net`"),
    template: z
      .string()
      .default("{instance}.{project}")
      .superRefine((text, context) => {
        const fault = templateFault(text);
        if (fault !== undefined) context.addIssue({ code: "custom", message: `${text} ${fault}`, input: text });
      })
      .describe(
        "An instance's name in the zone, of {instance}, {project} and {server}; with both of the first two, none collide",
      ),
    projects: z.array(z.string().min(1)).optional().describe("Only instances of these projects; all unless told"),
    networks: z
      .array(z.string().min(1))
      .optional()
      .describe("Only addresses on these networks, `PROJECT/NAME` or `NAME` of the default project; all unless told"),
    addresses: z
      .enum(["internal", "external", "all"])
      .default("all")
      .describe(
        "Addresses on the instance's networks, those routed to it from outside (`ipvN.routes.external`), or both",
      ),
    userRecords: z
      .enum(["own-name", "zone", "none"])
      .default("own-name")
      .describe(
        "Where instances may add records with `user.dns.records`: below their own name, anywhere in the zone, or nowhere",
      ),
    infrastructure: z
      .boolean()
      .default(true)
      .describe(
        "Also names for servers (`SERVER.server`), gateways (`NETWORK.gw`) and uplink addresses (`NETWORK.uplink`)",
      ),
    records: z.string().default("").describe("More records, as in a zone file; names are below the zone"),
  })
  .superRefine(({ zone, records }, context) => {
    try {
      for (const _ of readZoneFile(`$TTL 60\n${records}`, { origin: zone, path: "records" }));
    } catch (error) {
      if (!(error instanceof Error) || (error as { fault?: unknown }).fault !== "input") throw error;
      context.addIssue({ code: "custom", path: ["records"], message: error.message, input: records });
    }
  });

const reverse = z.strictObject({
  prefix: prefix().describe("PTR records for every address in it that has a name"),
  zone: name().optional().describe("The zone's name, where it is not the usual one of the prefix (RFC 2317)"),
});

const transfer = z.strictObject({
  zones: z.array(name()).optional().describe("These zones; all unless told"),
  from: z.array(prefix()).optional().describe("To servers in these prefixes; anywhere unless told"),
  key: name().optional().describe("To servers that sign with this key"),
});

const secondary = z.strictObject({
  address: address().describe("The secondary's address"),
  port: port().default(53).describe("Its port"),
  source: address().optional().describe("Send from this address"),
  key: name().optional().describe("Sign with this key"),
  zones: z.array(name()).optional().describe("Only these zones; all unless told"),
});

/** `dns` of agent.yaml. */
export const dnsSchema = z.strictObject({
  listen: z
    .array(
      z.strictObject({
        address: address().describe("An address of the server"),
        port: port().default(53).describe("The port"),
      }),
    )
    .min(1)
    .describe("Where to answer, on UDP and TCP; name each address, so that answers leave from where they were asked"),
  anycast: z
    .array(address())
    .default([])
    .describe(
      "Addresses that several servers have on `lo` and answer on, at the port of the first of `listen`; announced by BGP only while this server answers. `allow` must contain them",
    ),
  nameservers: z
    .array(name())
    .min(1)
    .describe("The zones' name servers, for their NS records; the first is the primary"),
  hostmaster: name()
    .optional()
    .describe("The responsible mailbox as a name; `hostmaster` at the first zone unless told"),
  ttl: z.int().min(1).max(86_400).default(60).describe("Seconds for which an instance's records may be kept"),
  zones: z.array(forward).default([]).describe("Zones of names"),
  reverse: z.array(reverse).default([]).describe("Zones of PTR records"),
  catalog: name().optional().describe("A zone that lists all others for secondaries (RFC 9432); none unless told"),
  guests: z
    .boolean()
    .default(true)
    .describe("Ask running guests for the addresses of NICs to which LXD gives none; good for their own names only"),
  keys: z.array(key).default([]).describe("TSIG keys (RFC 8945)"),
  transfers: z.array(transfer).default([]).describe("Who may transfer zones; nobody unless told"),
  notify: z.array(secondary).default([]).describe("Secondaries to tell of every change (RFC 1996)"),
  workers: z.int().min(0).max(16).default(0).describe("Threads for queries; 0 answers in the agent's own thread"),
});

export type DnsConfig = z.output<typeof dnsSchema>;
