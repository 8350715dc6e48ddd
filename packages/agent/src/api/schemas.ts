import type { SessionInfo } from "@trivet/bgp";
import * as z from "zod";
import type { AttributesView, RefusedView, RouteView } from "../announce/explain.ts";
import type { DrainView } from "../drain/drains.ts";
import type { CheckView } from "../health/view.ts";
import type { RecordView, ZoneView } from "../resolve/service.ts";
import type {
  DrainOrderAnswer,
  DrainsAnswer,
  ExplainAnswer,
  HealthAnswer,
  RoutesAnswer,
  StatusAnswer,
} from "./types.ts";

/** The API's answers as schemas, of which its OpenAPI document is made. Each is held to the answer's type. */

const maybe = z.exactOptional;
const count = () => z.int().min(0);
const time = () => z.iso.datetime();
const strings = () => z.array(z.string());
const byFamily = () => z.strictObject({ 4: count(), 6: count() });
const families = () => z.array(z.union([z.literal(4), z.literal(6)]));
const milliseconds = () => z.number().describe("Milliseconds since 1970");

export const problem = z.strictObject({ error: z.string().describe("One line: what, where, what to do") });
const notAsked = z.strictObject({ server: z.string(), error: z.string().describe("Why it could not be asked") });

const attributes = z.strictObject({
  communities: maybe(strings()),
  largeCommunities: maybe(strings()),
  med: maybe(count()),
  localPref: maybe(count()),
  prepend: maybe(count()),
}) satisfies z.ZodType<AttributesView>;

const route = z.strictObject({
  prefix: z.string(),
  nextHop: z.string().describe("An address, or `self`"),
  attributes: maybe(attributes),
  nextHopFrom: z.string().describe("Where the next hop comes from, for people"),
  reasons: strings().describe("What asks for it, the one that decided first"),
  heldBack: maybe(strings()).describe("Why routers are asked to prefer others"),
}) satisfies z.ZodType<RouteView>;

const refused = z.strictObject({
  prefix: z.string(),
  source: z.string(),
  code: z.string(),
  why: z.string(),
}) satisfies z.ZodType<RefusedView>;

const messages = () =>
  z.strictObject({
    open: count(),
    update: count(),
    notification: count(),
    keepalive: count(),
    "route-refresh": count(),
  });

const session = z.strictObject({
  peer: z.string(),
  address: z.string(),
  asn: count(),
  description: maybe(z.string()),
  dynamic: z.boolean(),
  state: z.enum(["idle", "connect", "active", "open-sent", "open-confirm", "established"]),
  since: milliseconds(),
  local: maybe(z.string()),
  negotiated: maybe(
    z.strictObject({
      asn: count(),
      routerId: z.string(),
      holdTime: count(),
      keepalive: count(),
      families: families(),
      fourOctetAs: z.boolean(),
      extendedNextHop: z.boolean(),
      peerExtendedNextHop: z.boolean(),
      extendedMessage: z.boolean(),
      routeRefresh: z.boolean(),
      enhancedRefresh: z.boolean(),
      gracefulNotification: z.boolean(),
      peerRestart: maybe(z.strictObject({ restarting: z.boolean(), restartTime: count(), families: families() })),
      role: maybe(z.enum(["provider", "rs", "rs-client", "customer", "peer"])),
    }),
  ),
  established: count().describe("Times it was established"),
  lastFailure: maybe(
    z.strictObject({
      at: milliseconds(),
      reason: z.string(),
      notification: maybe(z.strictObject({ direction: z.enum(["sent", "received"]), code: count(), subcode: count() })),
    }),
  ),
  received: messages(),
  sent: messages(),
  prefixesReceived: byFamily(),
  prefixesSent: byFamily(),
  unsendable: byFamily().describe("Prefixes that cannot be told to this peer"),
  waiting: count().describe("Octets waiting for the peer to read"),
  endOfRib: families(),
}) satisfies z.ZodType<SessionInfo>;
export const sessions = z.array(session);

export const status = z.strictObject({
  server: z.string().describe("Its name in LXD; empty before LXD was read"),
  version: z.string(),
  ready: z.boolean(),
  draining: z.boolean(),
  startedAt: time(),
  lxd: z.strictObject({
    connected: z.boolean().describe("Events arrive"),
    error: maybe(z.string()),
    since: maybe(time()),
    parts: z.record(z.string(), z.strictObject({ readAt: time(), error: maybe(z.string()) })),
  }),
  members: z.array(z.strictObject({ name: z.string(), status: z.string() })),
  instances: count(),
  networks: count(),
  routes: z.strictObject({ announced: count(), refused: count() }),
  checks: z.strictObject({ pending: count(), passing: count(), failing: count(), unknown: count() }),
  sessions,
  problems: strings().describe("Wrong values in LXD's configuration, which are ignored"),
}) satisfies z.ZodType<StatusAnswer>;

export const bfd = z.array(
  z.strictObject({
    name: z.string(),
    peer: z.string(),
    state: z.string(),
    diagnostic: z.string(),
    remoteState: maybe(z.string()),
    remoteDiagnostic: maybe(z.string()),
    since: z.number(),
    detectionTime: maybe(z.number()).describe("Milliseconds of silence after which the peer counts as dead"),
    transmitInterval: maybe(z.number()),
    flaps: count(),
    sent: count(),
    received: count(),
    discarded: count(),
    lastDiscard: maybe(z.string()),
  }),
);

export const routes = z.strictObject({
  server: z.string(),
  ready: z.boolean(),
  routers: count().describe("Sessions that are established: with none, nobody is told of the routes"),
  routes: z.array(route),
  refused: maybe(z.array(refused)).describe("What is not announced, and why"),
}) satisfies z.ZodType<RoutesAnswer>;

export const explanation = z.strictObject({
  prefix: z.string(),
  servers: z.array(
    z.union([
      z.strictObject({
        server: z.string(),
        prefix: z.string(),
        announced: z.boolean(),
        verdict: z.string().describe("One sentence"),
        route: maybe(route),
        refused: z.array(refused),
        coveredBy: strings().describe("Announced prefixes that contain it, the longest first"),
      }),
      notAsked,
    ]),
  ),
}) satisfies z.ZodType<ExplainAnswer>;

const drain = z.strictObject({
  target: z.string(),
  server: z.string(),
  phase: z.enum(["moving", "leaving", "safe"]),
  remaining: maybe(z.number()).describe("Seconds until the next phase"),
  prefixes: strings(),
  told: z.strictObject({ sessions: count(), of: count() }),
  moved: strings().describe("Routers that themselves announced one of the prefixes since"),
  routers: maybe(z.strictObject({ confirmed: strings(), silent: strings(), absent: strings() })).describe(
    "Once withdrawn: who has confirmed to have read that, who could but has not, and who has no session; the others cannot say",
  ),
  gateways: maybe(strings()).describe("Of a server: networks whose active OVN gateway it is, PROJECT/NETWORK"),
}) satisfies z.ZodType<DrainView>;
export const drains = z.strictObject({
  servers: z.array(z.union([z.strictObject({ server: z.string(), drains: z.array(drain) }), notAsked])),
}) satisfies z.ZodType<DrainsAnswer>;
export const drainOrder = z.strictObject({
  target: z.string(),
  server: z.string(),
  drain: z.boolean(),
  changed: z.boolean().describe("False when LXD had it so already"),
  alone: strings().describe("What nobody else announces: traffic to it stops"),
  left: strings().describe("What else the server is ordered to drain"),
  elsewhere: strings().describe("Of an order that was to be taken back and did not stand: the servers where it does"),
}) satisfies z.ZodType<DrainOrderAnswer>;

const verdict = ["pending", "passing", "failing"] as const;
const check = z.strictObject({
  project: z.string(),
  instance: z.string(),
  device: maybe(z.string()),
  check: z.string(),
  target: z.string(),
  address: maybe(z.string()),
  state: z.enum([...verdict, "unknown"]),
  verdict: z.enum(verdict),
  since: time(),
  error: maybe(z.string()),
  checkedAt: maybe(time()),
  next: maybe(time()),
}) satisfies z.ZodType<CheckView>;
export const health = z.strictObject({ server: z.string(), checks: z.array(check) }) satisfies z.ZodType<HealthAnswer>;

/** What is shown of LXD is LXD's; only its frame is the API's. */
const lxdObjects = () => z.array(z.looseObject({}));
export const snapshot = z.strictObject({
  server: z.string(),
  clustered: z.boolean(),
  takenAt: time(),
  parts: z.record(z.string(), z.strictObject({ readAt: milliseconds(), error: maybe(z.string()) })),
  members: lxdObjects(),
  projects: lxdObjects(),
  networks: lxdObjects(),
  instances: lxdObjects(),
});

export const dns = z.strictObject({
  listen: strings(),
  anycast: z.array(z.strictObject({ address: z.string(), answers: z.boolean(), why: maybe(z.string()) })),
  zones: z.array(
    z.strictObject({
      origin: z.string(),
      serial: maybe(count()),
      records: count(),
      behind: z.boolean(),
      waited: maybe(z.number()),
      journal: z.strictObject({ changes: count(), records: count() }),
    }),
  ),
  problems: z.array(z.strictObject({ where: z.string(), key: maybe(z.string()), why: z.string() })),
  secondaries: z.array(z.looseObject({})),
  counters: z.looseObject({}),
});
export const records = z.array(z.strictObject({ record: z.string(), why: z.string() }) satisfies z.ZodType<RecordView>);
export const zone = z.strictObject({
  origin: z.string(),
  serial: count(),
  records: strings(),
}) satisfies z.ZodType<ZoneView>;
