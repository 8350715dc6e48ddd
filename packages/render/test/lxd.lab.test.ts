import { expect, it } from "vitest";
import { Namespace } from "@trivet/lab";
import { Daemon, describeLab } from "@trivet/testing";
import { example, render, textOf } from "./support.ts";

describeLab("the preseed, read by LXD 5.0.2", { programs: ["lxd", "lxc", "dnsmasq"] }, () => {
  it("makes a cluster on the first server, which the second joins with a token", async () => {
    const cluster = example("lab");
    const files = render(cluster);
    await using one = await Daemon.create("lxd", "render-lxd-1");
    await using two = await Daemon.create("lxd", "render-lxd-2");
    const at = (name: string) => `${String(cluster.servers.find((server) => server.name === name)?.address)}/64`;
    await Namespace.link(one.namespace, { dev: "mesh0", addresses: [at("s1")] }, two.namespace, {
      dev: "mesh0",
      addresses: [at("s2")],
    });
    await one.admin(["init", "--preseed"], textOf(files, "servers/s1/lxd-preseed.yaml"));
    const answer = await one.cli(["cluster", "add", "s2", "--quiet"]);
    const token = answer.trim().split(/\s+/).at(-1) ?? "";
    await two.admin(
      ["init", "--preseed"],
      textOf(files, "servers/s2/lxd-preseed.yaml").replace(/cluster_token: .*/, `cluster_token: ${token}`),
    );
    const members = JSON.parse(await two.cli(["cluster", "list", "--format", "json"])) as {
      server_name: string;
      url: string;
      status: string;
    }[];
    expect(members.map(({ server_name, url, status }) => ({ server_name, url, status }))).toEqual([
      { server_name: "s1", url: "https://[2001:db8:1ab:1::101]:8443", status: "Online" },
      { server_name: "s2", url: "https://[2001:db8:1ab:1::102]:8443", status: "Online" },
    ]);
  });
});
