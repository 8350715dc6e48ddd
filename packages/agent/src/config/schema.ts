import { DEFAULT_SOCKET } from "../api/client.ts";
import * as z from "zod";
import { dnsSchema } from "./dns-schema.ts";
import { healthSchema } from "./health-schema.ts";
import {
  address,
  asn,
  community,
  ipv4Address,
  largeCommunity,
  port,
  prefix,
  scopedAddress,
  seconds,
  sharedAddress,
} from "./scalars.ts";

const uint32 = () => z.int().min(0).max(4_294_967_295);

const isIpv4 = (text: string): boolean => !text.includes(":");

const bfd = z.strictObject({
  transmitInterval: z.int().min(10).max(60_000).default(300).describe("Milliseconds between packets sent"),
  receiveInterval: z.int().min(10).max(60_000).default(300).describe("Milliseconds between packets asked for"),
  multiplier: z.int().min(1).max(255).default(3).describe("Lost packets after which an end counts as dead"),
  multihop: z
    .boolean()
    .optional()
    .describe("The router is not on the same link (RFC 5883, UDP 4784); as `ttlSecurity` says unless told"),
});

const peer = z
  .strictObject({
    address: scopedAddress().describe("Of the router; a link-local address with its interface, `fe80::1%br-uplink`"),
    asn: asn().describe("The router's AS number"),
    name: z.string().min(1).optional().describe("How it is called in metrics and logs; its address unless told"),
    port: port().default(179).describe("The router's BGP port"),
    localAddress: address().optional().describe("Connect from this address of the server"),
    passive: z.boolean().default(false).describe("Wait for the router to connect (needs `listen`)"),
    password: z.string().min(1).max(80).optional().describe("TCP-MD5 password (RFC 2385); better in `passwordFile`"),
    passwordFile: z
      .string()
      .min(1)
      .optional()
      .describe("A file with the TCP-MD5 password; a last newline does not count"),
    ttlSecurity: z
      .int()
      .min(1)
      .max(254)
      .optional()
      .describe(
        "Hops the router may be away; packets from farther are dropped (GTSM, RFC 5082). The router needs the same",
      ),
    bfd: bfd
      .optional()
      .describe("Watch the router by BFD (RFC 5880), and end the session when it is lost: `{}` for the usual timers"),
    holdTime: z
      .int()
      .min(3)
      .max(65_535)
      .default(90)
      .describe("Seconds without a sign of life after which the session is given up; the lower of both ends' counts"),
    families: z
      .array(z.union([z.literal(4), z.literal(6)]))
      .min(1)
      .default([4, 6])
      .describe("The IP versions whose routes are announced on this session"),
    extendedNextHop: z.boolean().default(false).describe("Announce IPv4 routes with an IPv6 next hop (RFC 8950)"),
    maxPrefix: z
      .int()
      .min(1)
      .default(1_000)
      .describe("End the session when the router announces more prefixes of one family than this"),
  })
  .refine((peer) => peer.password === undefined || peer.passwordFile === undefined, {
    message: "has both password and passwordFile; keep one of them",
  })
  .refine(({ address, localAddress = address }) => isIpv4(localAddress) === isIpv4(address), {
    path: ["localAddress"],
    message: "is of another IP version than the router's address; write one of the same",
  });

const attributeRule = z.strictObject({
  match: prefix().describe(
    "The rule holds for this prefix and those in it; of several rules the longest match decides, alone",
  ),
  communities: z
    .array(community())
    .optional()
    .describe('RFC 1997 communities: `"65010:100"` (in quotes) or a well-known name, `no-export`'),
  largeCommunities: z.array(largeCommunity()).optional().describe('RFC 8092 large communities, `"65010:1:2"`'),
  med: uint32().optional().describe("Multi-exit discriminator: the lower the better"),
  localPref: uint32()
    .optional()
    .describe("Local preference, only told to routers of the same AS: the higher the better"),
  prepend: z
    .int()
    .min(0)
    .max(10)
    .optional()
    .describe("How many more times the own AS stands in the path, to make it longer"),
});

const gateway = z.strictObject({
  watch: z
    .boolean()
    .default(true)
    .describe(
      "Watch the other servers by BFD (RFC 5883, UDP 4784): routes through a gateway on a dead one become the last resort until OVN has moved it",
    ),
  servers: z
    .record(z.string(), z.array(sharedAddress()).min(1))
    .refine((servers) => new Set(Object.values(servers).flat()).size === Object.values(servers).flat().length, {
      message: "has an address twice; each is one way to one server",
    })
    .default({})
    .describe(
      "Each server's addresses to watch, the same networks in the same order: the mesh, then another way. A server is dead when all ways to it are. LXD's address of it alone, unless told",
    ),
  transmitInterval: z.int().min(10).max(60_000).default(300).describe("Milliseconds between packets sent"),
  receiveInterval: z.int().min(10).max(60_000).default(300).describe("Milliseconds between packets asked for"),
  multiplier: z.int().min(1).max(255).default(3).describe("Lost packets after which a way counts as lost"),
  preferLocal: z
    .boolean()
    .default(false)
    .describe(
      "Announce routes whose gateway is on another server with MED 100: of several servers with an address, those that need no detour get all of its packets",
    ),
});

const lxd = z.strictObject({
  socket: z.string().min(1).optional().describe("The unix socket of LXD or Incus; found by itself unless told"),
  timeout: seconds(1, 120).default(15).describe("Seconds that a call may take"),
  resync: seconds(1, 86_400)
    .default(60)
    .describe("Seconds between two readings of everything, beside following the events"),
});

const api = z.strictObject({
  socket: z.string().min(1).default(DEFAULT_SOCKET).describe("The unix socket of the agent's own API"),
  tls: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe("Serve the API to the other servers' agents and to clients LXD trusts"),
      address: address().default("::").describe("Where to listen; `::` is every address of both families"),
      port: port().default(8444).describe("The port, the same on every server"),
      certificate: z
        .string()
        .min(1)
        .optional()
        .describe("The cluster's certificate; `cluster.crt` or `server.crt` of LXD's folder unless told"),
      key: z.string().min(1).optional().describe("Its key; `cluster.key` or `server.key` of LXD's folder unless told"),
    })
    .prefault({})
    .describe("The API on TLS, with the certificate that the cluster's servers share"),
  servers: z
    .record(
      z.string(),
      z.string().regex(/^(\/.+|https:\/\/([^/:@?#\s]+|\[[\da-f:.]+\]):\d{1,5}\/?)$/i, {
        error: "is neither an address nor a path; write it as https://HOST:PORT, or as the path of a unix socket",
      }),
    )
    .default({})
    .describe(
      "Where another server's agent answers, `https://HOST:PORT` or a socket's path, if not on its LXD address and the port of `tls`",
    ),
});

const keys = z.strictObject({
  asn: asn().describe(
    "The AS number of this cluster's servers; a private one is 64512 to 65534, or 4200000000 to 4294967294",
  ),
  peers: z.array(peer).min(1).describe("The routers to announce to"),
  allow: z.array(prefix()).min(1).describe("Nothing outside these prefixes is ever announced"),
  server: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The name LXD must give this server; the agent ends if it does not, so that a file copied to the wrong server does no harm",
    ),
  routerId: ipv4Address()
    .optional()
    .describe(
      "The BGP identifier, unique in the AS; the server's IPv4 address towards the first IPv4 peer unless told",
    ),
  uplinks: z
    .array(z.string().min(1))
    .optional()
    .describe("Announce only OVN networks on these uplinks, and NICs directly on them; every network unless told"),
  projects: z
    .array(z.string().min(1))
    .optional()
    .describe("Announce only networks and instances of these projects; of all unless told"),
  addresses: z.boolean().default(false).describe("Announce each running instance's own addresses as host routes, too"),
  attributes: z.array(attributeRule).default([]).describe("What to say of routes: communities, MED, local preference"),
  listen: z
    .array(
      z.strictObject({
        address: address().describe("An address of the server, or `::` or `0.0.0.0`"),
        port: port().default(179).describe("The BGP port"),
      }),
    )
    .default([])
    .describe("Where routers may connect; nowhere unless told, and the agent connects to them"),
  gracefulRestart: z
    .strictObject({
      enabled: z.boolean().default(true).describe("Ask routers to keep the routes while the agent restarts (RFC 4724)"),
      restartTime: z
        .int()
        .min(1)
        .max(4_095)
        .default(30)
        .describe("Seconds they keep them; as short as a restart takes, because a dead server's routes linger as long"),
    })
    .prefault({})
    .describe("The agent's own restart without losing a packet"),
  drain: z
    .strictObject({
      wait: seconds(0, 3_600)
        .default(5)
        .describe("Seconds for routers to move to other paths, between asking them to and withdrawing"),
    })
    .prefault({})
    .describe("`trivet drain`"),
  gateway: gateway.prefault({}).describe("The OVN gateways that packets pass before they reach an instance"),
  dns: dnsSchema.optional().describe("Answer DNS for instances; no DNS unless told"),
  health: healthSchema.prefault({}).describe("Health checks; a service is announced while its checks pass"),
  lxd: lxd.prefault({}).describe("How to reach LXD or Incus"),
  api: api.prefault({}).describe("The agent's own API"),
  log: z
    .enum(["trace", "debug", "info", "warn", "error"])
    .default("info")
    .describe("The least important messages to log"),
});

/** agent.yaml. Its descriptions are the reference, docs/agent-config.md. */
export const agentSchema = keys.superRefine(({ peers, routerId, listen }, context) => {
  if (routerId === undefined && !peers.some(({ address }) => isIpv4(address)))
    context.addIssue({
      code: "custom",
      path: ["peers"],
      message:
        "have IPv6 addresses alone, and give no router id; set routerId to an IPv4 address that only this server has",
    });
  for (const [i, { passive }] of peers.entries())
    if (passive && listen.length === 0)
      context.addIssue({
        code: "custom",
        path: ["peers", i, "passive"],
        message: "is true, but nothing is listened on, so that no session ever comes up; add listen, or remove passive",
      });
});

export type AgentConfig = z.output<typeof agentSchema>;
