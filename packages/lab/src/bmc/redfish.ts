import { type Machine, RESETS, type Reset } from "./machine.ts";
import { RedfishError } from "./messages.ts";
import { PUBLIC_PATHS, RESET, ROOT, SESSIONS, type Resource, resources, session } from "./resources.ts";
import type { Sessions } from "./sessions.ts";

export interface RedfishRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface RedfishResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** OData's description of the service, as short as DSP0266 §8.4.1 lets it be. */
const METADATA = `<?xml version="1.0" encoding="UTF-8"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
  <edmx:Reference Uri="http://redfish.dmtf.org/schemas/v1/ServiceRoot_v1.xml">
    <edmx:Include Namespace="ServiceRoot"/>
    <edmx:Include Namespace="ServiceRoot.v1_15_0"/>
  </edmx:Reference>
  <edmx:DataServices>
    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">
      <EntityContainer Name="Service" Extends="ServiceRoot.v1_15_0.ServiceContainer"/>
    </Schema>
  </edmx:DataServices>
</edmx:Edmx>
`;

/** A BMC's answers (DMTF Redfish, DSP0266): requests in, responses out. */
export class Redfish {
  readonly #machine: Machine;
  readonly #sessions: Sessions;

  constructor(machine: Machine, sessions: Sessions) {
    this.#machine = machine;
    this.#sessions = sessions;
  }

  /** Errors other than refusals are thrown on: whoever serves logs them. */
  async answer(request: RedfishRequest): Promise<RedfishResponse> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof RedfishError) return json(error.status, error.body, error.headers);
      throw error;
    }
  }

  async #answer(request: RedfishRequest): Promise<RedfishResponse> {
    // Clients may close a path with a slash or not (DSP0266 §6.3).
    const path = new URL(request.url, "https://bmc").pathname.replace(/(?<=.)\/+$/, "");
    const method = request.method === "HEAD" ? "GET" : request.method;
    const login = method === "POST" && (path === SESSIONS || path === `${SESSIONS}/Members`);
    if (!login && !PUBLIC_PATHS.includes(path)) this.#sessions.authorize(request.headers);
    const handlers = await this.#at(path);
    const handler = handlers[method];
    if (handler === undefined)
      throw new RedfishError("OperationNotAllowed", [], { allow: Object.keys(handlers).join(", ") });
    const response = await handler(request);
    return request.method === "HEAD" ? { ...response, body: "" } : response;
  }

  /** What can be done at a path. */
  async #at(path: string): Promise<Readonly<Record<string, Handler>>> {
    if (path === `${ROOT}/$metadata`)
      return { GET: () => respond(200, METADATA, { "content-type": "application/xml" }) };
    if (path === RESET) return { POST: async ({ body }) => await this.#reset(parse(body)) };
    const id = path.startsWith(`${SESSIONS}/`) ? path.slice(SESSIONS.length + 1) : "";
    const known = this.#sessions.get(id);
    if (known !== undefined)
      return {
        GET: () => json(200, at(path, session(id, known.user))),
        DELETE: () => {
          this.#sessions.delete(id);
          return respond(204, "");
        },
      };
    const { identity } = this.#machine;
    const [power, heat, sessions] = [await this.#machine.power(), this.#machine.heat(), this.#sessions.ids()];
    const resource = resources({ identity, power, heat, sessions }).get(path);
    if (resource === undefined) throw new RedfishError("ResourceMissingAtURI", [path]);
    const get: Handler = () => json(200, path === "/redfish" ? resource : at(path, resource));
    return path === SESSIONS ? { GET: get, POST: ({ body }) => this.#login(parse(body)) } : { GET: get };
  }

  async #reset({ ResetType: type }: Resource): Promise<RedfishResponse> {
    if (type === undefined) throw new RedfishError("ActionParameterMissing", ["ComputerSystem.Reset", "ResetType"]);
    if (!RESETS.includes(type as Reset)) {
      const value = typeof type === "string" ? type : JSON.stringify(type);
      throw new RedfishError("ActionParameterValueNotInList", [value, "ResetType", "ComputerSystem.Reset"]);
    }
    await this.#machine.reset(type as Reset);
    return respond(204, "");
  }

  #login({ UserName: user, Password: password }: Resource): RedfishResponse {
    for (const [name, value] of Object.entries({ UserName: user, Password: password }))
      if (typeof value !== "string") throw new RedfishError("PropertyMissing", [name]);
    const { id, token, user: name } = this.#sessions.create(String(user), String(password), SESSIONS);
    const path = `${SESSIONS}/${id}`;
    return json(201, at(path, session(id, name)), { location: path, "x-auth-token": token });
  }
}

type Handler = (request: RedfishRequest) => RedfishResponse | Promise<RedfishResponse>;

function at(path: string, resource: Resource): Resource {
  return { "@odata.id": path, ...resource };
}

/** @throws RedfishError unless the body is a JSON object */
function parse(body: string): Resource {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RedfishError("MalformedJSON");
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new RedfishError("MalformedJSON");
  return value as Resource;
}

/** The answer to a request that failed for a reason of ours. */
export function internalError(): RedfishResponse {
  const { status, body } = new RedfishError("InternalError");
  return json(status, body);
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RedfishResponse {
  return respond(status, `${JSON.stringify(body)}\n`, {
    "content-type": "application/json; charset=utf-8",
    ...headers,
  });
}

function respond(status: number, body: string, headers: Readonly<Record<string, string>> = {}): RedfishResponse {
  return { status, body, headers: { "odata-version": "4.0", "cache-control": "no-store", ...headers } };
}
