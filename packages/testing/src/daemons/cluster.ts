import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Namespace } from "@trivet/lab";
import { Daemon, type DaemonKind } from "./daemon.ts";

const PASSWORD = "trivet-lab";

/** A real cluster: daemons in namespaces of their own, on one switch in another. */
export class DaemonCluster implements AsyncDisposable {
  /** `server1`, … at 192.0.2.1, … */
  readonly members: readonly Daemon[];
  readonly #switch: Namespace;

  private constructor(members: readonly Daemon[], fabric: Namespace) {
    this.members = members;
    this.#switch = fabric;
  }

  static async create(kind: DaemonKind, label: string, size = 3): Promise<DaemonCluster> {
    const fabric = await Namespace.create(`${label}-switch`);
    const members: Daemon[] = [];
    const cluster = new DaemonCluster(members, fabric);
    try {
      await fabric.run(["ip", "link", "add", "switch", "type", "bridge"]);
      await fabric.run(["ip", "link", "set", "switch", "up"]);
      for (let number = 1; number <= size; number++) {
        const daemon = await Daemon.create(kind, `${label}-${number}`);
        members.push(daemon);
        const port = { dev: `port${number}` };
        await Namespace.link(daemon.namespace, { dev: "lan0", addresses: [`192.0.2.${number}/24`] }, fabric, port);
        await fabric.run(["ip", "link", "set", port.dev, "master", "switch"]);
        await daemon.admin(["init", "--preseed"], await cluster.#preseed(number));
      }
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) await member[Symbol.asyncDispose]();
    await this.#switch.remove();
  }

  /** YAML is a superset of JSON. */
  async #preseed(number: number): Promise<string> {
    const own = { server_name: `server${number}`, enabled: true };
    const address = `192.0.2.${number}:8443`;
    const [first] = this.members;
    if (first === undefined || number === 1) {
      return JSON.stringify({
        config: {
          "core.https_address": address,
          ...(first?.kind === "lxd" ? { "core.trust_password": PASSWORD } : {}),
        },
        storage_pools: [{ name: "default", driver: "dir" }],
        profiles: [{ name: "default", devices: { root: { type: "disk", path: "/", pool: "default" } } }],
        cluster: own,
      });
    }
    const joining = { ...own, server_address: address, cluster_address: "192.0.2.1:8443" };
    if (first.kind === "lxd") {
      const certificate = readFileSync(join(dirname(first.socketPath), "cluster.crt"), "utf8");
      return JSON.stringify({ cluster: { ...joining, cluster_certificate: certificate, cluster_password: PASSWORD } });
    }
    const answer = await first.cli(["cluster", "add", own.server_name, "--quiet"]);
    return JSON.stringify({ cluster: { ...joining, cluster_token: answer.trim().split(/\s+/).at(-1) } });
  }
}
