import * as z from "zod";
import * as answers from "./schemas.ts";

interface Operation {
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Of status 200; `text` where it is no JSON. */
  readonly answer: z.ZodType | "text/plain" | "text/event-stream";
  /** Other statuses, and what they mean. */
  readonly otherwise?: Readonly<Record<number, string>>;
}

const NOT_YET = { 503: "LXD was not read in full yet" };
const NO_DNS = { 404: "DNS is not configured" };
const EVERYWHERE = { everywhere: "`true`: of every server, else of the answering one" };
const ORDER = {
  target: "SERVER, PROJECT/INSTANCE or PREFIX; the answering server unless told",
  server: "Of a prefix: the server that shall no longer announce it",
};
const ORDERED = { 400: "There is no such target, or nobody else announces it", 502: "LXD did not take the order" };

/** Every route of the API, by path and method. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/healthz": { get: { summary: "Alive", answer: "text/plain" } },
  "/readyz": {
    get: { summary: "LXD was read in full, and all is announced", answer: "text/plain", otherwise: NOT_YET },
  },
  "/metrics": { get: { summary: "Metrics in Prometheus' text format", answer: "text/plain" } },
  "/v1/status": { get: { summary: "The agent in one object", answer: answers.status } },
  "/v1/sessions": { get: { summary: "BGP sessions", answer: answers.sessions } },
  "/v1/bfd": { get: { summary: "BFD sessions, with routers and other servers", answer: answers.bfd } },
  "/v1/snapshot": {
    get: { summary: "What is known of LXD, without what may be secret", answer: answers.snapshot, otherwise: NOT_YET },
  },
  "/v1/routes": {
    get: {
      summary: "What is announced",
      query: { refused: "`true`: also what is not announced, and why" },
      answer: answers.routes,
    },
  },
  "/v1/routes/explain": {
    get: {
      summary: "Why a prefix is announced, or not",
      query: { prefix: "A prefix or an address", ...EVERYWHERE },
      answer: answers.explanation,
      otherwise: { 400: "It is no prefix", ...NOT_YET },
    },
  },
  "/v1/drain": {
    get: {
      summary: "How far drains are",
      query: { ...EVERYWHERE, server: "Of this server alone" },
      answer: answers.drains,
    },
    put: {
      summary: "Orders a drain (unix socket only)",
      query: { ...ORDER, force: "`true`: also where nobody else announces it" },
      answer: answers.drainOrder,
      otherwise: { ...ORDERED, ...NOT_YET },
    },
    delete: {
      summary: "Takes a drain back (unix socket only)",
      query: ORDER,
      answer: answers.drainOrder,
      otherwise: { ...ORDERED, ...NOT_YET },
    },
  },
  "/v1/health": { get: { summary: "Health checks of the answering server's instances", answer: answers.health } },
  "/v1/dns": { get: { summary: "DNS: zones, secondaries, counters", answer: answers.dns, otherwise: NO_DNS } },
  "/v1/dns/records": {
    get: {
      summary: "DNS records, and why each is there",
      query: { name: "Only of this name", zone: "Only of this zone" },
      answer: answers.records,
      otherwise: { 400: "It is no name", ...NO_DNS },
    },
  },
  "/v1/dns/zone": {
    get: {
      summary: "A zone as it is answered",
      query: { name: "The zone's origin" },
      answer: answers.zone,
      otherwise: { 400: "There is no such zone", ...NO_DNS },
    },
  },
  "/v1/openapi.json": { get: { summary: "This document", answer: z.looseObject({}) } },
  "/v1/events": {
    get: {
      summary: "Server-sent events: `status` first, then `routes`, `session`, `health`, `snapshot`; `alive` every 15 s",
      answer: "text/event-stream",
    },
  },
};

/** The API's OpenAPI 3.1 document, `schema/agent-api.openapi.json`. */
export function openApi(): unknown {
  return {
    openapi: "3.1.1",
    info: {
      title: "trivet agent",
      version: "1",
      summary: "What the agent of a server knows and does",
      description:
        "Served on the unix socket /run/trivet/agent.sock for root, and on TLS port 8444 for holders of the cluster's certificate and clients that LXD trusts with everything.",
    },
    paths: Object.fromEntries(
      Object.entries(OPERATIONS).map(([path, methods]) => [
        path,
        Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, describe(operation)])),
      ]),
    ),
  };
}

function describe({ summary, query = {}, answer, otherwise = {} }: Operation): unknown {
  const content =
    typeof answer === "string"
      ? { [answer]: { schema: { type: "string" } } }
      : { "application/json": { schema: schemaOf(answer) } };
  const others = Object.entries(otherwise).map(([code, description]) => [
    code,
    { description, content: { "application/json": { schema: schemaOf(answers.problem) } } },
  ]);
  const parameters = Object.entries(query).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  return {
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { 200: { description: "Answered", content }, ...Object.fromEntries(others) },
  };
}

/** JSON Schema 2020-12 is OpenAPI 3.1's own. */
function schemaOf(schema: z.ZodType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
