import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Namespace } from "@trivet/lab";
import { type Server, readCluster } from "@trivet/spec";
import { Daemon, type DaemonKind, describeLab } from "@trivet/testing";
import { expect, it } from "vitest";
import { render, textOf } from "./support.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/lab/cluster.yaml", import.meta.url));

/** The lab example, on either platform. */
function exampleOn(platform: DaemonKind) {
  const text = readFileSync(EXAMPLE, "utf8").replace("name: lab\n", `name: lab\nplatform: ${platform}\n`);
  return readCluster("cluster.yaml", { read: () => text, list: () => [] });
}

describeLab("the preseed, read by LXD 5.0.2 and Incus 6.0.4", { programs: ["lxd", "lxc", "dnsmasq"] }, () => {
  it.each(["lxd", "incus"] as const)(
    "%s: makes a cluster on the first server, which the second joins with a token",
    async (platform) => {
      const cluster = exampleOn(platform);
      const files = render(cluster);
      const preseed = (name: string) => textOf(files, `servers/${name}/lxd-preseed.yaml`);
      const [first, second] = cluster.servers;
      if (first === undefined || second === undefined) throw new TypeError("the example has servers");
      await using one = await Daemon.create(platform, `render-${platform}-1`);
      await using two = await Daemon.create(platform, `render-${platform}-2`);
      const end = ({ address }: Server) => ({ dev: "mesh0", addresses: [`${String(address)}/24`] });
      await Namespace.link(one.namespace, end(first), two.namespace, end(second));
      await one.admin(["init", "--preseed"], preseed(first.name));
      const answer = await one.cli(["cluster", "add", second.name, "--quiet"]);
      const token = answer.trim().split(/\s+/).at(-1) ?? "";
      await two.admin(
        ["init", "--preseed"],
        preseed(second.name).replace(/cluster_token: .*/, `cluster_token: ${token}`),
      );
      const members = JSON.parse(await two.cli(["cluster", "list", "--format", "json"])) as {
        server_name: string;
        url: string;
        status: string;
      }[];
      expect(members.map(({ server_name, url, status }) => `${server_name} ${url} ${status}`).sort()).toEqual([
        "abydos https://10.60.0.101:8443 Online",
        "langara https://10.60.0.100:8443 Online",
      ]);
    },
  );
});
