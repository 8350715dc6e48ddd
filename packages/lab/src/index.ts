/** A whole cluster on one machine: real, in containers and namespaces, and simulated. */
export { Namespace } from "./host/namespace.ts";
export { type Requirements, findProgram, missingRequirements } from "./host/requirements.ts";
export { CommandError, type RunOptions, type RunResult, run } from "./host/run.ts";
export { LeftoverError, down, leftovers } from "./down.ts";
export { vtysh } from "./build/providers.ts";
export type { Suite } from "./image/packages.ts";
export { type ImageOptions, serverImage } from "./image/server-image.ts";
export {
  type Faults,
  type InstanceRef,
  NS1,
  PUBLIC,
  type Scene,
  type SceneInstance,
  type SceneNetwork,
  SimulatedCluster,
  type SimulationEvents,
  type SimulationOptions,
  referenceScene,
  scaledScene,
} from "./sim/index.ts";
export { attach } from "./host/attach.ts";
export { requireLab } from "./host/require-lab.ts";
export { lineProgress, terminalProgress } from "./progress.ts";
export { Lab } from "./runtime/lab.ts";
export { LabError } from "./runtime/lab-error.ts";
export { Places } from "./runtime/places.ts";
export { Server } from "./runtime/server.ts";
export {
  ASN,
  CLIENT,
  GATEWAY,
  type LabOptions,
  NETWORKS,
  type NetworkName,
  type Platform,
  type Topology,
} from "./topology/topology.ts";
export { StepError, type UpProgress, up } from "./up.ts";
export { type Claim, type Command, type DemoOptions, type Playground, type Teller, playDemo } from "./demo/index.ts";
export { TRANSFER_KEY, ZONES, agentConfig } from "./topology/agent-config.ts";
export { type ClusterLab, labOfCluster } from "./topology/from-cluster.ts";
export { expectedRoutes } from "./topology/expected-routes.ts";
export { type OsdPlan, osds } from "./topology/ceph.ts";
export { ANYCAST, MAIL } from "./topology/workload.ts";
export { type AnnouncedRoute, announcedRoutes, routerShow } from "./status/routes.ts";
export { bmcCurl } from "./status/bmc.ts";
export { type LayerStatus, status } from "./status/status.ts";
export { type ActiveFault, activeFaults, fail, heal } from "./faults/active.ts";
export { FAULTS, type FaultKind } from "./faults/faults.ts";
export { type Probe, type ProbeEvents, type ProbeOptions, startProbe } from "./probe/probe.ts";
export type { FlowReport, Gap, ProbeReport } from "./probe/report.ts";
