import type { Link, Path, Server } from "@trivet/spec";
import type { Look, Say } from "./finding.ts";

/** Power, disks, cards and bonds. */
export const hardware: Look = (cluster, say) => {
  for (const server of cluster.servers) {
    const path: Path = ["servers", server.name];
    if (server.power.length < 2 || new Set(server.power).size < 2)
      say(
        "single-psu",
        [...path, "power"],
        `${server.name} hangs on one power ${server.power.length < 2 ? "supply" : "feed"}`,
        "give it two supplies on two feeds",
      );
    const boot = server.disks.filter((disk) => disk.boot);
    if (boot.length === 1)
      say(
        "single-boot-disk",
        [...path, "disks"],
        `${server.name} starts from one disk, ${boot[0]?.name}`,
        "mirror the system on a second disk with boot: true; or be ready to install the server anew",
        "note",
      );
    for (const link of server.links) if (link.bonded) bond(server, link, [...path, "links", link.name], say);
    for (const link of server.links) spansSwitches(link, cluster.switches, [...path, "links", link.name], say);
  }
  for (const each of cluster.switches)
    if (each.power.length < 2 || new Set(each.power).size < 2)
      say(
        "single-psu",
        ["switches", each.name, "power"],
        `the switch ${each.name} hangs on one power ${each.power.length < 2 ? "supply" : "feed"}`,
        "give it two supplies on two feeds",
      );
  const stacks = new Set(cluster.switches.map(({ name, mlag }) => mlag ?? name));
  const used = cluster.switches.filter(({ name }) =>
    cluster.servers.some(({ links }) => links.some(({ peer }) => "switches" in peer && peer.switches.includes(name))),
  );
  if (used.length === 1 && stacks.size === 1)
    say(
      "single-switch",
      ["switches", used[0]?.name ?? ""],
      `${used[0]?.name} is the only switch: with it goes the way in and out`,
      "add a second, stacked or with MLAG, and take one port of each bond to each",
    );
};

function bond(server: Server, link: Link, path: Path, say: Say): void {
  const cards = new Set(link.ports.map((port) => server.cards.find(({ ports }) => ports.includes(port))?.name));
  if (cards.size === 1)
    say(
      "bond-one-card",
      [...path, "ports"],
      `all ports of ${server.name}'s ${link.name} are on the card ${[...cards][0]}`,
      "take ports of two cards",
    );
  if (link.miiMonitor === 0)
    say(
      "bond-unwatched",
      [...path, "miiMonitor"],
      `${server.name}'s ${link.name} does not look at its ports`,
      "set miiMonitor to 100",
    );
  if (link.mode !== "802.3ad")
    say(
      "bond-mode",
      [...path, "mode"],
      `${server.name}'s ${link.name} is ${link.mode}`,
      "use 802.3ad, if the other end can",
    );
  else if (link.lacpRate === "slow")
    say("bond-slow-lacp", [...path, "lacpRate"], `${server.name}'s ${link.name} has slow LACP`, "set lacpRate to fast");
}

function spansSwitches(
  link: Link,
  switches: readonly { name: string; mlag: string | undefined }[],
  path: Path,
  say: Say,
): void {
  const { peer } = link;
  if (!("switches" in peer) || peer.switches.length < 2 || link.mode !== "802.3ad") return;
  const stacks = new Set(peer.switches.map((name) => switches.find((each) => each.name === name)?.mlag ?? name));
  if (stacks.size > 1)
    say(
      "bond-without-mlag",
      [...path, "to"],
      `${link.name} goes to ${peer.switches.join(" and ")}, which are not one switch`,
      "give both the same mlag:, if they are; else use active-backup",
    );
}
