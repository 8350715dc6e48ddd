import type { Context } from "../context.ts";
import type { Cluster, Vlan } from "../model.ts";
import { firstOfEach } from "./twice.ts";

/** Linux refuses longer interface names (IFNAMSIZ less the final zero). */
const LONGEST_NAME = 15;

/** Tags, bridges, roles and VRRP groups: each used once; links that exist and are wide enough. */
export function checkVlans(context: Context, cluster: Cluster): void {
  const [tags, bridges, roles, vrids] = [
    firstOfEach<Vlan>(),
    firstOfEach<Vlan>(),
    firstOfEach<Vlan>(),
    firstOfEach<Vlan>(),
  ];
  for (const vlan of cluster.vlans) {
    const path = ["vlans", vlan.name];
    const say = (key: string, code: string, message: string, remedy: string, severity: "error" | "warning" = "error") =>
      context.report([...path, key], { code, message, remedy, severity });
    const sameTag = tags(`${vlan.link}/${vlan.id ?? "untagged"}`, vlan);
    if (sameTag !== undefined)
      say(
        "id",
        "tag-twice",
        `${vlan.name} and ${sameTag.name} are both ${vlan.id === undefined ? "untagged" : `tag ${vlan.id}`} on ${vlan.link}`,
        "give it a tag of its own with id:",
      );
    const sameBridge = bridges(vlan.bridge, vlan);
    if (sameBridge !== undefined)
      say(
        "bridge",
        "bridge-twice",
        `the bridge ${vlan.bridge} is already that of ${sameBridge.name}`,
        "name another with bridge:",
      );
    const sameRole = roles(vlan.role, vlan);
    if (sameRole !== undefined)
      say("role", "role-twice", `${sameRole.name} has the role ${vlan.role} already`, "keep one network for each role");
    const sameVrid = vrids(vlan.vrid, vlan);
    if (sameVrid !== undefined)
      say(
        "vrid",
        "vrid-twice",
        `VRRP group ${vlan.vrid} is already that of ${sameVrid.name}: both gateways would have the same MAC address on one switch`,
        "choose another with vrid:",
      );
    checkLink(context, cluster, vlan);
    const device = deviceName(cluster, vlan);
    if (device !== undefined && device.length > LONGEST_NAME)
      say(
        "id",
        "name-too-long",
        `the interface ${device} would have ${device.length} characters; Linux allows ${LONGEST_NAME}`,
        "shorten the link's name",
      );
  }
}

function deviceName(cluster: Cluster, vlan: Vlan): string | undefined {
  const device = cluster.servers[0]?.links.find(({ name }) => name === vlan.link)?.device;
  return vlan.id === undefined || device === undefined ? device : `${device}.${vlan.id}`;
}

function checkLink(context: Context, cluster: Cluster, vlan: Vlan): void {
  const path = ["vlans", vlan.name];
  for (const server of cluster.servers) {
    const link = server.links.find(({ name }) => name === vlan.link);
    if (link === undefined || "server" in link.peer) {
      context.report([...path, "link"], {
        code: "vlan-link",
        message:
          link === undefined
            ? `${server.name} has no link ${vlan.link || "to a switch"} to carry ${vlan.name}`
            : `${vlan.link} goes to another server, not to a switch`,
        remedy: "name a link to a switch that every server has with link:",
      });
      return;
    }
    if (vlan.mtu > link.mtu) {
      context.report([...path, "mtu"], {
        code: "mtu-path",
        message: `${vlan.name} has MTU ${vlan.mtu}, but ${server.name}'s ${link.name}, which carries it, has ${link.mtu}`,
        remedy: "lower it, or raise the link's",
      });
      return;
    }
  }
}
