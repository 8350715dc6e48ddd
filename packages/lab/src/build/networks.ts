import { GATEWAY, PUBLIC } from "../topology/topology.ts";
import { UPLINK, ovnNetworks } from "../topology/workload.ts";
import { patiently } from "./patiently.ts";
import { TOOL } from "./platform.ts";
import type { Step } from "./step.ts";

/** The uplink, on every server's uplink bridge, and the OVN networks behind it. */
export const networksStep: Step = {
  key: "networks",
  title: "Uplink and OVN networks",
  async run(lab, progress) {
    const { client } = TOOL[lab.topology.options.platform];
    const exists = (name: string): string => `${client} network list -f csv | grep -q '^${name},.*CREATED'`;
    const pending = lab.servers.map(
      ({ name }) => `${client} network create ${UPLINK} --type=physical parent=br-uplink --target ${name} || true`,
    );
    const uplink = [
      `ipv4.gateway=${GATEWAY.uplink4}/24`,
      `ipv6.gateway=${GATEWAY.uplink6}/64`,
      "ipv4.ovn.ranges=10.10.100.100-10.10.100.199",
      `ipv4.routes=${PUBLIC.ipv4}`,
      `ipv6.routes=${PUBLIC.ipv6}`,
      // The same address on several instances, and no ARP or ND on their behalf: reaching them takes an announced route.
      "ipv4.routes.anycast=true",
      "ipv6.routes.anycast=true",
      "ovn.ingress_mode=routed",
      "dns.nameservers=203.0.113.5,2001:db8:1000:53::53",
    ];
    await lab.first.sh(`${exists(UPLINK)} || { ${pending.join("; ")}
      ${client} network create ${UPLINK} --type=physical ${uplink.join(" ")}; }`);
    for (const { name, gateway4, subnet6 } of ovnNetworks(lab.topology)) {
      const keys = [`network=${UPLINK}`, `ipv4.address=${gateway4}/24`, "ipv4.nat=true", `ipv6.address=${subnet6}1/64`];
      // One that failed halfway is neither there nor can it be made: it goes first.
      const create = `${exists(name)} || { ${client} network delete ${name} 2>/dev/null || true
        ${client} network create ${name} --type=ovn ${keys.join(" ")} ipv6.nat=false; }`;
      await patiently(async () => await lab.first.sh(create), progress);
    }
  },
};
