import type { Cluster, Link, Server } from "@trivet/spec";

/** What of the hardware still works, given what failed (names as in {@link componentsOf}). */
export class Hardware {
  readonly #cluster: Cluster;
  readonly #lost: ReadonlySet<string>;
  /** Servers (and whole components) that something was lost of: of the others nothing need be looked at. */
  readonly #touched: ReadonlySet<string>;
  readonly #switchesIntact: boolean;
  readonly #servers = new Map<string, boolean>();
  readonly #links = new Map<string, number>();
  readonly #byName: ReadonlyMap<string, Server>;

  constructor(cluster: Cluster, byName: ReadonlyMap<string, Server>, lost: ReadonlySet<string>) {
    this.#cluster = cluster;
    this.#byName = byName;
    this.#lost = lost;
    this.#touched = new Set(Array.from(lost, (name) => name.split("/", 1)[0] ?? name));
    this.#switchesIntact = cluster.switches.every(
      ({ name, power }) => !lost.has(name) && !power.some((feed) => lost.has(feed)),
    );
  }

  lost(name: string): boolean {
    return this.#lost.has(name);
  }

  /** Nothing of the server, and none of its feeds, was lost. */
  intact(server: Server): boolean {
    return !this.#touched.has(server.name) && !server.power.some((feed) => this.#lost.has(feed));
  }

  /** Powered by one supply at least, and with a disk to run from. */
  server(server: Server): boolean {
    if (this.intact(server)) return true;
    const known = this.#servers.get(server.name);
    if (known !== undefined) return known;
    const powered = server.power.some(
      (feed, index) => !this.lost(feed) && !this.lost(`${server.name}/psu${index + 1}`),
    );
    const boot = server.disks.filter((disk) => disk.boot);
    const booted = boot.length === 0 || boot.some(({ name }) => !this.lost(`${server.name}/${name}`));
    const up = !this.lost(server.name) && (powered || server.power.length === 0) && booted;
    this.#servers.set(server.name, up);
    return up;
  }

  switch(name: string): boolean {
    if (this.lost(name)) return false;
    const power = this.#cluster.switches.find((each) => each.name === name)?.power ?? [];
    return power.length === 0 || power.some((feed) => !this.lost(feed));
  }

  /** How many of a link's ports carry traffic. */
  link(server: Server, link: Link): number {
    const far = "server" in link.peer ? this.#byName.get(link.peer.server) : undefined;
    if (this.intact(server) && (far === undefined ? this.#switchesIntact : this.intact(far))) return link.ports.length;
    const key = `${server.name}/${link.name}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const count = link.ports.filter(
      (port, index) => this.#port(server, port) && this.#farEnd(server, link, index),
    ).length;
    // A bond that nobody watches keeps sending into the dead port: half of it is as bad as none.
    const blind = link.bonded && link.miiMonitor === 0 && count < link.ports.length;
    this.#links.set(key, blind ? 0 : count);
    return blind ? 0 : count;
  }

  /** Which servers and links are up, as one word. */
  left(): string {
    const state = this.#cluster.servers.map((server) => [
      this.server(server),
      ...server.links.map((link) => this.link(server, link) > 0),
    ]);
    return state.flat().map(Number).join("");
  }

  /** The link that carries the server's VLANs is up. */
  trunk(server: Server, name: string | undefined): boolean {
    const link = server.links.find((each) => each.name === name);
    return link !== undefined && this.link(server, link) > 0;
  }

  /** Servers of a set with a leader that reaches them all on the cluster's network: enough for a quorum. */
  together(servers: readonly Server[]): Set<string> {
    if (this.#cluster.mesh === undefined) return this.#onSwitch(servers);
    let best: Server[] = [];
    const up = servers.filter((server) => this.server(server));
    for (const centre of up) {
      const reached = up.filter((other) => other === centre || this.#reaches(centre, other));
      if (reached.length > best.length) best = reached;
    }
    return new Set(best.map(({ name }) => name));
  }

  /** Servers of which each reaches each other: what Ceph's disks need. */
  clique(servers: readonly Server[]): Set<string> {
    if (this.#cluster.mesh === undefined) return this.#onSwitch(servers);
    const up = servers.filter((server) => this.server(server));
    const cut = (server: Server) => up.filter((other) => other !== server && !this.#reaches(server, other)).length;
    const members: Server[] = [];
    for (const server of up.map((each) => ({ each, cut: cut(each) })).sort((a, b) => a.cut - b.cut))
      if (members.every((member) => this.#reaches(member, server.each))) members.push(server.each);
    return new Set(members.map(({ name }) => name));
  }

  #reaches(from: Server, to: Server): boolean {
    const link = from.links.find(({ peer }) => "server" in peer && peer.server === to.name);
    return link !== undefined && this.link(from, link) > 0;
  }

  /** Without a mesh, who is on the switch reaches all who are; one server alone needs nobody. */
  #onSwitch(servers: readonly Server[]): Set<string> {
    const up = servers.filter((server) => this.server(server));
    const { vlans } = this.#cluster;
    const between =
      vlans.find(({ role }) => role === "underlay") ?? vlans.find(({ role }) => role === "hosts") ?? vlans[0];
    const reached = up.filter((server) => this.trunk(server, between?.link));
    return new Set((reached.length > 0 ? reached : up.slice(0, 1)).map(({ name }) => name));
  }

  #port(server: Server, port: string): boolean {
    if (!this.server(server) || this.lost(`${server.name}/${port}`)) return false;
    const card = server.cards.find(({ ports }) => ports.includes(port));
    return card === undefined || !this.lost(`${server.name}/${card.name}`);
  }

  #farEnd(server: Server, link: Link, index: number): boolean {
    const { peer } = link;
    if ("switches" in peer) {
      if (this.lost(`${server.name}/${link.name}#${index + 1}`)) return false;
      return this.switch(peer.switches[index % peer.switches.length] ?? "");
    }
    const other = this.#byName.get(peer.server);
    const far = other?.links.find(({ name }) => name === peer.link);
    if (other === undefined || far === undefined) return false;
    const cable = server.name < other.name ? `${server.name}/${link.name}` : `${other.name}/${far.name}`;
    return !this.lost(`${cable}#${index + 1}`) && this.#port(other, far.ports[index] ?? far.ports[0] ?? "");
  }
}
