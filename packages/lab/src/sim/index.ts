/** The simulated cluster: LXD's API and events on unix sockets, in this process. */
export { type InstanceRef, SimulatedCluster, type SimulationEvents, type SimulationOptions } from "./cluster.ts";
export type { Faults } from "./faults.ts";
export { NS1, PUBLIC, referenceScene, scaledScene } from "./reference-scene.ts";
export type { Scene, SceneInstance, SceneNetwork } from "./scene.ts";
