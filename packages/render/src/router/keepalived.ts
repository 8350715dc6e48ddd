import type { Cluster, Router, Routing, Vlan } from "@trivet/spec";
import { Address } from "@trivet/ip";
import { vrrpPenalty } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, scriptFile, textFile } from "../file.ts";

const CHECK = "/etc/keepalived/check-upstream";

/** The gateway address of each network, held by the router with the highest priority that reaches the provider. */
export function keepalived(cluster: Cluster, routing: Routing, router: Router, options: RenderOptions): RenderedFile[] {
  if (routing.vrrp !== "keepalived") return [];
  const folder = `routers/${router.name}/etc/keepalived`;
  const track = routing.trackUpstream && routing.upstreams.length > 0;
  const gateways = cluster.vlans.filter(({ role }) => role === "uplink" || role === "hosts");
  const files = [
    textFile(`${folder}/keepalived.conf`, options, `VRRP on ${router.name}.`, [
      "global_defs {",
      `  router_id ${router.name}`,
      "  enable_script_security",
      "  script_user root",
      "  vrrp_version 3",
      "  vrrp_garp_master_refresh 60",
      "}",
      "",
      ...(track
        ? [
            "vrrp_script upstream {",
            `  script "${CHECK}"`,
            "  interval 2",
            "  timeout 2",
            "  rise 2",
            "  fall 2",
            // Behind all that reach the provider; yet if none does, one of them still connects the cluster's own networks.
            `  weight -${vrrpPenalty(routing.routers.map(({ priority }) => priority))}`,
            // One that has just started does not know yet.
            "  init_fail",
            "}",
            "",
          ]
        : []),
      ...gateways.flatMap((vlan) => instances(vlan, routing, router, track)),
    ]),
  ];
  if (track)
    files.push(
      scriptFile(
        `${folder}/check-upstream`,
        options,
        "Succeeds while a BGP session to the provider is up, and its routes are in use.",
        [
          "vtysh -c 'show bgp summary json' | jq -e '[.[] | select(.updateDelayInProgress | not) | .peers? // {} | .[]",
          `  | select(.remoteAs | IN(${[...new Set(routing.upstreams.map(({ asn }) => asn))].join(", ")})) | select(.state == "Established")] | length > 0' >/dev/null`,
        ],
      ),
    );
  return files;
}

function instances(vlan: Vlan, routing: Routing, router: Router, track: boolean): string[] {
  const port = router.interfaces.find((each) => each.vlan === vlan.name)?.name ?? vlan.role;
  return vlan.subnets.flatMap(({ family, gateway }) => [
    `vrrp_instance ${vlan.role}${family} {`,
    "  state BACKUP",
    `  interface ${port}`,
    // The address keeps its MAC when another router takes it over (RFC 9568 §7.3); OVN, for one, learns a new one slowly.
    `  use_vmac ${vmacInterface(family, vlan.vrid)}`,
    `  virtual_router_id ${vlan.vrid}`,
    `  priority ${router.priority}`,
    `  advert_int ${routing.advertisementInterval / 1000}`,
    "  virtual_ipaddress {",
    // RFC 9568 §5.2.9: in IPv6 the first address is a link-local one.
    ...(family === 6 ? [`    ${linkLocal(vlan).toString()}/64`] : []),
    // Deprecated, so that what the router itself says (BGP, BFD) comes from the address that its peers know.
    `    ${gateway.toString()}/${family === 4 ? 32 : "128 preferred_lft 0"}`,
    "  }",
    ...(track ? ["  track_script {", "    upstream", "  }"] : []),
    "}",
    "",
  ]);
}

function linkLocal(vlan: Vlan): Address {
  return Address.parse("fe80::").plus(BigInt(`0x${vlan.vrid}`));
}

/** The interface with the virtual MAC of a VRRP group, of which each family has its own. */
export function vmacInterface(family: 4 | 6, vrid: number): string {
  return `vrrp${family}-${vrid}`;
}
