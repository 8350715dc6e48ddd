import type { Cluster, Router, Routing } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, quote, scriptFile, textFile } from "../file.ts";
import { vmacInterface } from "./keepalived.ts";

/** Creates the routers' containers, each on its server and on the bridges; and with FRR's VRRP the interfaces that needs. */
export function routerContainers(
  cluster: Cluster,
  routing: Routing,
  cli: string,
  options: RenderOptions,
): RenderedFile[] {
  const lines = routing.routers.flatMap((router) => [
    `if ! ${cli} config show ${router.name} >/dev/null 2>&1; then`,
    `  ${cli} init ${cluster.platform === "lxd" ? "ubuntu:24.04" : "images:debian/13"} ${router.name} --target ${router.on} -c cluster.evacuate=stop -c boot.autostart.priority=100`,
    ...router.interfaces.map(
      ({ name, vlan }) =>
        `  ${cli} config device add ${router.name} ${name} nic nictype=bridged parent=${quote(bridge(cluster, vlan))} name=${name}`,
    ),
    "fi",
  ]);
  const files = [
    scriptFile(
      "lxd/routers.sh",
      options,
      "Creates the routers' containers; then install frr, keepalived and jq in them. Safe to run again.",
      lines,
    ),
  ];
  files.push(...routing.routers.map((router) => sysctl(router, options)));
  if (routing.vrrp === "frr") files.push(...routing.routers.map((router) => macvlans(cluster, router, options)));
  return files;
}

function bridge(cluster: Cluster, vlan: string): string {
  return cluster.vlans.find(({ name }) => name === vlan)?.bridge ?? "";
}

/** Else the interface below answers for VRRP's addresses, too, with its own MAC, which goes with the router. */
function sysctl({ name }: Router, options: RenderOptions): RenderedFile {
  const what = `On ${name} only the interfaces with VRRP's MACs speak for the shared addresses.`;
  return textFile(`routers/${name}/etc/sysctl.d/60-vrrp.conf`, options, what, [
    "net.ipv4.conf.all.arp_ignore = 1",
    "net.ipv4.conf.all.arp_announce = 2",
  ]);
}

/** FRR's vrrpd wants one macvlan for each family, with the virtual MAC (RFC 9568 §7.3). */
function macvlans(cluster: Cluster, router: Router, options: RenderOptions): RenderedFile {
  const lines = router.interfaces.flatMap(({ name, vlan, role }) => {
    const network = cluster.vlans.find((each) => each.name === vlan);
    if (network === undefined || (role !== "uplink" && role !== "hosts")) return [];
    const vrid = network.vrid.toString(16).padStart(2, "0");
    return network.subnets.flatMap(({ family, gateway, prefix }) => {
      const device = vmacInterface(family, network.vrid);
      return [
        `ip link show ${device} >/dev/null 2>&1 || ip link add ${device} link ${name} addrgenmode random type macvlan mode bridge`,
        `ip link set ${device} address 00:00:5e:00:0${family === 4 ? 1 : 2}:${vrid}`,
        `ip addr replace ${gateway.toString()}/${prefix.length} dev ${device}`,
        `ip link set ${device} up`,
      ];
    });
  });
  return scriptFile(
    `routers/${router.name}/vrrp-interfaces.sh`,
    options,
    `The interfaces of FRR's VRRP on ${router.name}.`,
    lines,
  );
}
