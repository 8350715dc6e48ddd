/** Support for tests. */
export { busyboxImage } from "./daemons/busybox.ts";
export { DaemonCluster } from "./daemons/cluster.ts";
export { Daemon, type DaemonKind } from "./daemons/daemon.ts";
export { Relay } from "./daemons/relay.ts";
export { describeLab } from "./describe-lab.ts";
export { dropped } from "./dropped.ts";
export { eventually } from "./eventually.ts";
export { Bird } from "./routers/bird.ts";
export { Frr } from "./routers/frr.ts";
export { GoBgp } from "./routers/gobgp.ts";
export { type NeighborOptions, Router, type RouterOptions, type RouterTable } from "./routers/router.ts";
export { Terminal } from "./terminal.ts";
