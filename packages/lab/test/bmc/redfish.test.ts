import { beforeEach, describe, expect, test } from "vitest";
import { type Machine, type PowerState, RESETS, type Reset } from "../../src/bmc/machine.ts";
import { RedfishError } from "../../src/bmc/messages.ts";
import { Redfish, type RedfishResponse } from "../../src/bmc/redfish.ts";
import { cold, warm } from "../../src/bmc/sensors.ts";
import { Sessions, TIMEOUT_SECONDS } from "../../src/bmc/sessions.ts";

const IDENTITY = {
  name: "langara",
  serial: "lab-langara",
  uuid: "00000000-0000-8000-8000-000000000000",
  processors: 2,
  memoryGiB: 24,
};
const BASIC = { authorization: `Basic ${Buffer.from("admin:pass:word").toString("base64")}` };
const SESSIONS = "/redfish/v1/SessionService/Sessions";
const RESET = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

interface Body {
  readonly [key: string]: unknown;
}

let power: PowerState;
let resets: Reset[];
let now: number;
let bmc: Redfish;

beforeEach(() => {
  power = "On";
  resets = [];
  now = 0;
  const machine: Machine = {
    identity: IDENTITY,
    power: async () => power,
    heat: () => warm(cold(21), 1000, power === "Off" ? undefined : 0.5),
    reset: async (reset) => {
      if (power === "Off" && reset !== "On" && reset !== "ForceOff") throw new RedfishError("ResourceInStandby");
      resets.push(reset);
    },
  };
  bmc = new Redfish(machine, new Sessions({ user: "admin", password: "pass:word" }, () => now));
});

async function ask(method: string, url: string, body?: unknown, headers: object = BASIC): Promise<RedfishResponse> {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return await bmc.answer({ method, url, headers: { ...headers }, body: text });
}

async function read(url: string): Promise<Body> {
  const { status, body } = await ask("GET", url);
  expect(status, url).toBe(200);
  return JSON.parse(body) as Body;
}

/** The message an error response carries. */
function message({ body }: RedfishResponse): string {
  const { error } = JSON.parse(body) as { error: { code: string; "@Message.ExtendedInfo": { MessageId: string }[] } };
  expect(error.code).toBe(error["@Message.ExtendedInfo"][0]?.MessageId);
  return error.code.replace(/^Base\.[\d.]+\./, "");
}

describe("the tree (DSP0266 §6, DSP0268)", () => {
  test("can be walked from its root: every link leads to a resource that says where it is and what", async () => {
    const seen = new Set<string>();
    const walk = async (path: string): Promise<void> => {
      if (seen.has(path) || path.includes("#")) return;
      seen.add(path);
      const resource = await read(path);
      expect(resource["@odata.id"]).toBe(path);
      expect(resource["@odata.type"], path).toMatch(/^#\w+\.[\w.]+$/);
      expect(resource["Name"], path).toBeTypeOf("string");
      for (const link of links(resource)) await walk(link);
    };
    await walk("/redfish/v1");
    for (const path of ["Systems/1", "Chassis/1/Power", "Chassis/1/Thermal", "Chassis/1/Sensors/CPUTemp", "Managers/1"])
      expect(seen).toContain(`/redfish/v1/${path}`);
  });

  test("a closing slash means the same, and HEAD is GET without a body", async () => {
    expect(await ask("GET", "/redfish/v1/Systems/1/")).toEqual(await ask("GET", "/redfish/v1/Systems/1"));
    expect(await ask("HEAD", "/redfish/v1/Systems/1")).toMatchObject({ status: 200, body: "" });
  });

  test("responses are OData 4.0", async () => {
    const { headers } = await ask("GET", "/redfish/v1");
    expect(headers).toMatchObject({ "odata-version": "4.0", "content-type": "application/json; charset=utf-8" });
    expect((await ask("GET", "/redfish/v1/$metadata")).headers["content-type"]).toBe("application/xml");
  });

  test.each([
    ["GET", "/redfish/v1/Systems/2", 404, "ResourceMissingAtURI"],
    ["GET", "/", 404, "ResourceMissingAtURI"],
    ["PATCH", "/redfish/v1/Systems/1", 405, "OperationNotAllowed"],
    ["GET", RESET, 405, "OperationNotAllowed"],
    ["DELETE", SESSIONS, 405, "OperationNotAllowed"],
  ])("%s %s is refused with %d", async (method, url, status, id) => {
    const response = await ask(method, url);
    expect(response.status).toBe(status);
    expect(message(response)).toBe(id);
  });
});

describe("who may ask (DSP0266 §13.3)", () => {
  test.each(["/redfish", "/redfish/v1/", "/redfish/v1/odata", "/redfish/v1/$metadata"])("%s: anybody", async (url) => {
    expect((await ask("GET", url, undefined, {})).status).toBe(200);
  });

  test.each([
    ["nobody", {}],
    ["a wrong password", { authorization: `Basic ${Buffer.from("admin:word").toString("base64")}` }],
    ["a wrong name", { authorization: `Basic ${Buffer.from("root:pass:word").toString("base64")}` }],
    ["a token never given", { "x-auth-token": "guess" }],
    // A token counts, whatever else is sent.
    ["a wrong token beside the right password", { ...BASIC, "x-auth-token": "guess" }],
  ])("%s is refused everything else, and nothing happens", async (_, headers) => {
    for (const [method, url] of [
      ["GET", "/redfish/v1/Systems/1"],
      ["GET", "/redfish/v1/Nothing"],
      ["POST", RESET],
    ] as const) {
      const response = await ask(method, url, { ResetType: "ForceOff" }, headers);
      expect(response.status).toBe(401);
      expect(message(response)).toBe("NoValidSession");
      expect(response.headers["www-authenticate"]).toMatch(/^Basic /);
    }
    expect(resets).toEqual([]);
  });

  test("a session: made, used, listed, ended", async () => {
    const made = await ask("POST", SESSIONS, { UserName: "admin", Password: "pass:word" }, {});
    expect(made.status).toBe(201);
    const { location = "", "x-auth-token": token = "" } = made.headers;
    expect(JSON.parse(made.body)).toMatchObject({ "@odata.id": location, UserName: "admin" });
    const session = { "x-auth-token": token };
    expect((await ask("GET", "/redfish/v1/Systems/1", undefined, session)).status).toBe(200);
    expect(await read(SESSIONS)).toMatchObject({ "Members@odata.count": 1, Members: [{ "@odata.id": location }] });
    expect((await ask("GET", location, undefined, session)).body).not.toContain(token);
    expect((await ask("DELETE", location, undefined, session)).status).toBe(204);
    expect((await ask("GET", "/redfish/v1/Systems/1", undefined, session)).status).toBe(401);
  });

  test("a session that is not used ends; one that is goes on", async () => {
    const made = await ask("POST", SESSIONS, { UserName: "admin", Password: "pass:word" }, {});
    const session = { "x-auth-token": made.headers["x-auth-token"] };
    for (now of [TIMEOUT_SECONDS - 1, 2 * TIMEOUT_SECONDS - 2])
      expect((await ask("GET", "/redfish/v1/Systems", undefined, session)).status).toBe(200);
    now = 4 * TIMEOUT_SECONDS;
    expect((await ask("GET", "/redfish/v1/Systems", undefined, session)).status).toBe(401);
  });

  test.each([
    [{ UserName: "admin", Password: "wrong" }, 401, "ResourceAtUriUnauthorized"],
    [{ UserName: "admin" }, 400, "PropertyMissing"],
    ["{", 400, "MalformedJSON"],
    [[], 400, "MalformedJSON"],
  ])("a session asked for with %j is refused", async (body, status, id) => {
    const response = await ask("POST", SESSIONS, body, {});
    expect(response.status).toBe(status);
    expect(message(response)).toBe(id);
    expect(response.headers["x-auth-token"]).toBeUndefined();
  });

  test("there are not more than a BMC's sessions", async () => {
    const login = async (): Promise<RedfishResponse> =>
      await ask("POST", SESSIONS, { UserName: "admin", Password: "pass:word" }, {});
    for (let i = 0; i < 16; i++) expect((await login()).status).toBe(201);
    const response = await login();
    expect([response.status, message(response)]).toEqual([503, "SessionLimitExceeded"]);
  });
});

describe("ComputerSystem.Reset", () => {
  test("the system tells where and with what", async () => {
    const { Actions } = (await read("/redfish/v1/Systems/1")) as { Actions: Record<string, Body> };
    expect(Actions["#ComputerSystem.Reset"]).toEqual({
      target: RESET,
      "ResetType@Redfish.AllowableValues": RESETS,
    });
  });

  test.each(RESETS)("%s", async (ResetType) => {
    expect((await ask("POST", RESET, { ResetType })).status).toBe(204);
    expect(resets).toEqual([ResetType]);
  });

  test.each([
    [{}, "ActionParameterMissing"],
    [{ ResetType: "Nmi" }, "ActionParameterValueNotInList"],
    [{ ResetType: 1 }, "ActionParameterValueNotInList"],
    ["", "MalformedJSON"],
  ])("%j is refused", async (body, id) => {
    const response = await ask("POST", RESET, body);
    expect([response.status, message(response)]).toEqual([400, id]);
    expect(resets).toEqual([]);
  });

  test("what needs a running server is refused when it is off", async () => {
    power = "Off";
    const response = await ask("POST", RESET, { ResetType: "GracefulShutdown" });
    expect([response.status, message(response)]).toEqual([409, "ResourceInStandby"]);
  });
});

describe("what it measures", () => {
  test("is the same in Thermal, in Power and in Sensors", async () => {
    const thermal = (await read("/redfish/v1/Chassis/1/Thermal")) as unknown as {
      Temperatures: { Name: string; ReadingCelsius: number }[];
      Fans: { Reading: number; ReadingUnits: string }[];
    };
    const cpu = await read("/redfish/v1/Chassis/1/Sensors/CPUTemp");
    expect(cpu).toMatchObject({ ReadingType: "Temperature", ReadingUnits: "Cel", Reading: 56 });
    expect(thermal.Temperatures.find(({ Name }) => Name === "CPU Temp")?.ReadingCelsius).toBe(56);
    const fan = await read("/redfish/v1/Chassis/1/Sensors/Fan1");
    expect(thermal.Fans[0]).toMatchObject({ Reading: fan["Reading"], ReadingUnits: "RPM" });
    const { PowerControl } = await read("/redfish/v1/Chassis/1/Power");
    const watts = (await read("/redfish/v1/Chassis/1/Sensors/TotalPower"))["Reading"];
    expect(PowerControl).toMatchObject([{ PowerConsumedWatts: watts }]);
  });

  test("of a server that is off: no heat, no fan, a few watts", async () => {
    power = "Off";
    expect(await read("/redfish/v1/Systems/1")).toMatchObject({ PowerState: "Off" });
    expect(await read("/redfish/v1/Chassis/1/Sensors/CPUTemp")).toMatchObject({ Reading: 21 });
    expect(await read("/redfish/v1/Chassis/1/Sensors/Fan2")).toMatchObject({
      Reading: 0,
      Status: { State: "StandbyOffline" },
    });
    expect(await read("/redfish/v1/Chassis/1/Sensors/TotalPower")).toMatchObject({ Reading: 4 });
  });
});

describe("heat", () => {
  test("follows the load slowly, and the fans follow the heat", () => {
    const idle = warm(cold(20), 1000, 0);
    expect(idle).toMatchObject({ cpu: 32, fans: [1800, 1800] });
    const after = (seconds: number) => warm(idle, seconds, 1);
    expect(after(2).cpu).toBeLessThan(38);
    expect(after(20).cpu).toBeCloseTo(32 + 46 * (1 - Math.exp(-1)));
    expect(after(1000).cpu).toBeCloseTo(78);
    expect(after(1000).fans).toEqual([6000, 6000]);
    expect([idle.power, after(0).power]).toEqual([38, 103]);
  });

  test("in small steps or one, it is the same", () => {
    let heat = cold(21);
    for (let i = 0; i < 10; i++) heat = warm(heat, 3, 0.7);
    expect(heat.cpu).toBeCloseTo(warm(cold(21), 30, 0.7).cpu);
  });
});

/** Everything that a resource points to. */
function links(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(links);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "@odata.id" || key === "DataSourceUri" ? [String(inner)] : links(inner),
  );
}
