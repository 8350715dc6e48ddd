/** Support for tests. */
export { busyboxImage } from "./daemons/busybox.ts";
export { DaemonCluster } from "./daemons/cluster.ts";
export { Daemon, type DaemonKind } from "./daemons/daemon.ts";
export { Relay } from "./daemons/relay.ts";
export { describeLab } from "./describe-lab.ts";
export { eventually } from "./eventually.ts";
