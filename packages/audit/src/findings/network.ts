import type { Look } from "./finding.ts";

/** Geneve: 1500 inside, and what the tunnel adds over IPv4 and IPv6. */
const TUNNEL = { 4: 1558, 6: 1578 } as const;

/** The ways between servers and out. */
export const network: Look = (cluster, say) => {
  const { routing, ovn, servers } = cluster;
  if (ovn !== undefined && servers.length > 1) {
    const family = servers[0]?.address?.family ?? 6;
    if (cluster.underlayMtu < TUNNEL[family])
      say(
        "underlay-mtu",
        cluster.mesh === undefined ? ["vlans"] : ["mesh", "mtu"],
        `the network between servers has MTU ${cluster.underlayMtu}; OVN's tunnels need ${TUNNEL[family]} for instances to have 1500`,
        "raise it to 9000, or instances get less",
      );
    if (ovn.bootstrap)
      say(
        "ovn-bootstrap",
        ["ovn", "bootstrap"],
        `${ovn.central[0]} still creates OVN's databases`,
        "set it to false once they exist, and render again",
      );
  }
  const uplink = cluster.vlans.find(({ role }) => role === "uplink");
  if (uplink !== undefined) {
    const ends = servers
      .map(({ links }) => links.find(({ name }) => name === uplink.link)?.peer)
      .flatMap((peer) => (peer !== undefined && "switches" in peer ? [peer.switches] : []));
    const stack = (name: string) => cluster.switches.find((each) => each.name === name)?.mlag ?? name;
    const shared = ends.every((here) =>
      ends.every((there) => here.some((a) => there.some((b) => stack(a) === stack(b)))),
    );
    if (!shared)
      say(
        "uplink-not-shared",
        ["vlans", uplink.name],
        `${uplink.name} reaches the servers over switches that are not one network`,
        "cable all servers to the same switches, or to one stack",
      );
  }
  if (routing === undefined) return;
  const { upstreams, routers, lines } = routing;
  if (upstreams.length > 0 && upstreams.length < 2)
    say(
      "single-upstream",
      ["routing", "upstreams"],
      `${upstreams[0]?.name} is the provider's only router`,
      "ask for sessions with a second one",
    );
  const used = new Set(upstreams.map(({ line }) => line));
  const ends = new Set(lines.filter(({ name }) => used.has(name)).map(({ to }) => to));
  if (upstreams.length > 1 && (used.size === 1 || ends.size === 1))
    say(
      "single-line",
      ["routing", "lines"],
      used.size === 1
        ? `all ways to the provider use the line ${[...used][0]}`
        : `all lines to the provider end in ${[...ends][0]}`,
      "have a second line, ending in another switch",
    );
  const places = new Set(routers.map(({ on }) => on));
  if (servers.length > 1 && places.size < 2)
    say(
      "single-router",
      ["routing", "routers"],
      routers.length < 2 ? "there is one router" : `all routers run on ${[...places][0]}`,
      "run one on each of two servers at least",
    );
  const priorities = new Set(routers.map(({ priority }) => priority));
  if (priorities.size < routers.length)
    say(
      "vrrp-equal-priority",
      ["routing", "routers"],
      "two routers have the same priority",
      "give each its own, or none for 200, 190, 180 …",
    );
  if (upstreams.length > 0 && !routing.trackUpstream)
    say(
      "vrrp-not-tracking",
      ["routing", "trackUpstream"],
      "a router stays gateway without a session to the provider",
      "set trackUpstream to true",
    );
  if (!routing.nullRoute)
    say("bgp-no-null-route", ["routing", "nullRoute"], "what you announce has no null route", "set nullRoute to true");
  if (!routing.filters)
    say("bgp-no-filters", ["routing", "filters"], "sessions have no prefix lists", "set filters to true");
};
