import { type Identity, type PowerState, RESETS } from "./machine.ts";
import { type Heat, THRESHOLDS } from "./sensors.ts";
import { TIMEOUT_SECONDS } from "./sessions.ts";

/** A resource's JSON, without `@odata.id`: that is where it lies. */
export type Resource = Readonly<Record<string, unknown>>;

export const ROOT = "/redfish/v1";
export const SYSTEM = `${ROOT}/Systems/1`;
export const CHASSIS = `${ROOT}/Chassis/1`;
export const MANAGER = `${ROOT}/Managers/1`;
export const SESSION_SERVICE = `${ROOT}/SessionService`;
export const SESSIONS = `${SESSION_SERVICE}/Sessions`;
export const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;

/** What anybody may read (DSP0266 §13.3.1). */
export const PUBLIC_PATHS: readonly string[] = ["/redfish", ROOT, `${ROOT}/odata`, `${ROOT}/$metadata`];

const link = (path: string): { "@odata.id": string } => ({ "@odata.id": path });
const OK = { State: "Enabled", Health: "OK" } as const;

interface State {
  readonly identity: Identity;
  readonly power: PowerState;
  readonly heat: Heat;
  readonly sessions: readonly string[];
}

/** Every resource there is at a moment, by its path (schemas: DSP0268). */
export function resources({ identity, power, heat, sessions }: State): ReadonlyMap<string, Resource> {
  const service = `BMC of ${identity.name}`;
  return new Map<string, Resource>([
    ["/redfish", { v1: `${ROOT}/` }],
    [
      ROOT,
      {
        ...head("ServiceRoot.v1_15_0.ServiceRoot", "RootService", service),
        RedfishVersion: "1.15.0",
        UUID: identity.uuid,
        Product: "trivet lab BMC",
        Systems: link(`${ROOT}/Systems`),
        Chassis: link(`${ROOT}/Chassis`),
        Managers: link(`${ROOT}/Managers`),
        SessionService: link(SESSION_SERVICE),
        Links: { Sessions: link(SESSIONS) },
      },
    ],
    [`${ROOT}/odata`, serviceDocument()],
    [`${ROOT}/Systems`, collection("ComputerSystem", [SYSTEM])],
    [SYSTEM, system(identity, power)],
    [`${ROOT}/Chassis`, collection("Chassis", [CHASSIS])],
    [
      CHASSIS,
      {
        ...head("Chassis.v1_22_0.Chassis", "1", identity.name),
        ChassisType: "RackMount",
        ...label(identity),
        PowerState: power,
        Status: OK,
        Power: link(`${CHASSIS}/Power`),
        Thermal: link(`${CHASSIS}/Thermal`),
        ThermalSubsystem: link(`${CHASSIS}/ThermalSubsystem`),
        Sensors: link(`${CHASSIS}/Sensors`),
        Links: { ComputerSystems: [link(SYSTEM)], ManagedBy: [link(MANAGER)] },
      },
    ],
    ...sensors(heat, power),
    [`${ROOT}/Managers`, collection("Manager", [MANAGER])],
    [
      MANAGER,
      {
        ...head("Manager.v1_17_0.Manager", "1", service),
        ManagerType: "BMC",
        UUID: identity.uuid,
        PowerState: "On",
        Status: OK,
        Links: { ManagerForServers: [link(SYSTEM)], ManagerForChassis: [link(CHASSIS)] },
      },
    ],
    [
      SESSION_SERVICE,
      {
        ...head("SessionService.v1_1_8.SessionService", "SessionService", "Session Service"),
        ServiceEnabled: true,
        SessionTimeout: TIMEOUT_SECONDS,
        Status: OK,
        Sessions: link(SESSIONS),
      },
    ],
    [
      SESSIONS,
      collection(
        "Session",
        sessions.map((id) => `${SESSIONS}/${id}`),
      ),
    ],
  ]);
}

export function session(id: string, user: string): Resource {
  return { ...head("Session.v1_6_0.Session", id, "User Session"), UserName: user };
}

function system(identity: Identity, power: PowerState): Resource {
  return {
    ...head("ComputerSystem.v1_20_0.ComputerSystem", "1", identity.name),
    SystemType: "Physical",
    ...label(identity),
    UUID: identity.uuid,
    HostName: identity.name,
    PowerState: power,
    Status: power === "Off" ? { State: "StandbyOffline", Health: "OK" } : OK,
    // It boots from its disk and cannot be told otherwise; clients expect to read so.
    Boot: {
      BootSourceOverrideEnabled: "Disabled",
      BootSourceOverrideTarget: "None",
      "BootSourceOverrideTarget@Redfish.AllowableValues": ["None"],
    },
    ProcessorSummary: { Count: 1, LogicalProcessorCount: identity.processors },
    MemorySummary: { TotalSystemMemoryGiB: identity.memoryGiB },
    Actions: {
      "#ComputerSystem.Reset": { target: RESET, "ResetType@Redfish.AllowableValues": RESETS },
    },
    Links: { Chassis: [link(CHASSIS)], ManagedBy: [link(MANAGER)] },
  };
}

/** The same readings thrice, as BMCs have them: Power and Thermal for older clients, Sensors for newer ones. */
function sensors(heat: Heat, power: PowerState): [string, Resource][] {
  const off = { State: "StandbyOffline", Health: "OK" };
  const status = power === "Off" ? off : OK;
  const temperatures = [
    { id: "Inlet", context: "Intake", celsius: heat.inlet, critical: THRESHOLDS.inlet },
    { id: "CPU", context: "CPU", celsius: heat.cpu, critical: THRESHOLDS.cpu },
    { id: "Exhaust", context: "Exhaust", celsius: heat.exhaust, critical: THRESHOLDS.exhaust },
  ];
  const fans = heat.fans.map((rpm, i) => ({ id: `Fan${i + 1}`, rpm }));
  const watts = Math.round(heat.power);
  const readings: [string, Resource][] = [
    ...temperatures.map(({ id, context, celsius, critical }): [string, Resource] => [
      `${id}Temp`,
      {
        ReadingType: "Temperature",
        ReadingUnits: "Cel",
        Reading: Math.round(celsius * 10) / 10,
        PhysicalContext: context,
        Thresholds: { UpperCritical: { Reading: critical } },
      },
    ]),
    ...fans.map(({ id, rpm }): [string, Resource] => [
      id,
      { ReadingType: "Rotational", ReadingUnits: "{rev}/min", Reading: rpm, PhysicalContext: "Fan" },
    ]),
    ["TotalPower", { ReadingType: "Power", ReadingUnits: "W", Reading: watts, PhysicalContext: "Chassis" }],
  ];
  return [
    [
      `${CHASSIS}/Thermal`,
      {
        ...head("Thermal.v1_7_1.Thermal", "Thermal", "Thermal"),
        Temperatures: temperatures.map(({ id, context, celsius, critical }, i) => ({
          ...link(`${CHASSIS}/Thermal#/Temperatures/${i}`),
          MemberId: String(i),
          Name: `${id} Temp`,
          ReadingCelsius: Math.round(celsius),
          UpperThresholdCritical: critical,
          PhysicalContext: context,
          Status: OK,
        })),
        Fans: fans.map(({ id, rpm }, i) => ({
          ...link(`${CHASSIS}/Thermal#/Fans/${i}`),
          MemberId: String(i),
          Name: id,
          Reading: rpm,
          ReadingUnits: "RPM",
          LowerThresholdCritical: THRESHOLDS.fan,
          Status: status,
        })),
      },
    ],
    [
      `${CHASSIS}/Power`,
      {
        ...head("Power.v1_7_1.Power", "Power", "Power"),
        PowerControl: [
          {
            ...link(`${CHASSIS}/Power#/PowerControl/0`),
            MemberId: "0",
            Name: "Server Power Control",
            PowerConsumedWatts: watts,
            Status: OK,
          },
        ],
      },
    ],
    [
      `${CHASSIS}/ThermalSubsystem`,
      {
        ...head("ThermalSubsystem.v1_3_0.ThermalSubsystem", "ThermalSubsystem", "Thermal Subsystem"),
        Status: OK,
        Fans: link(`${CHASSIS}/ThermalSubsystem/Fans`),
      },
    ],
    [
      `${CHASSIS}/ThermalSubsystem/Fans`,
      collection(
        "Fan",
        fans.map(({ id }) => `${CHASSIS}/ThermalSubsystem/Fans/${id}`),
      ),
    ],
    ...fans.map(({ id, rpm }): [string, Resource] => [
      `${CHASSIS}/ThermalSubsystem/Fans/${id}`,
      {
        ...head("Fan.v1_5_0.Fan", id, id),
        Status: status,
        SpeedPercent: { DataSourceUri: `${CHASSIS}/Sensors/${id}`, SpeedRPM: rpm },
      },
    ]),
    [
      `${CHASSIS}/Sensors`,
      collection(
        "Sensor",
        readings.map(([id]) => `${CHASSIS}/Sensors/${id}`),
      ),
    ],
    ...readings.map(([id, reading]): [string, Resource] => [
      `${CHASSIS}/Sensors/${id}`,
      { ...head("Sensor.v1_7_0.Sensor", id, id), ...reading, Status: id.startsWith("Fan") ? status : OK },
    ]),
  ];
}

function head(type: string, id: string, name: string): Resource {
  return { "@odata.type": `#${type}`, Id: id, Name: name };
}

function label({ serial }: Identity): Resource {
  return { Manufacturer: "trivet", Model: "lab server", SerialNumber: serial };
}

function collection(kind: string, members: readonly string[]): Resource {
  return {
    "@odata.type": `#${kind}Collection.${kind}Collection`,
    Name: `${kind} Collection`,
    "Members@odata.count": members.length,
    Members: members.map(link),
  };
}

function serviceDocument(): Resource {
  const value = ["Systems", "Chassis", "Managers", "SessionService"].map((name) => ({
    name,
    kind: "Singleton",
    url: `${ROOT}/${name}`,
  }));
  return { "@odata.context": `${ROOT}/$metadata`, value };
}
