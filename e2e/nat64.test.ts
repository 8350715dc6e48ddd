import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Prefix } from "@trivet/ip";
import { CLIENT, type Lab } from "@trivet/lab";
import { type RenderedFile, renderCluster } from "@trivet/render";
import { type Cluster, readCluster } from "@trivet/spec";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NEEDS, healthy, sharedLab, table } from "./lab.ts";

const HTTP_PORT = 8064;

/** Two resolvers with DNS64 and NAT64, on two servers behind one address and one prefix; and who has nothing but IPv6. */
const PLANS = [
  { name: "nat64-01", own: "10.71.31.64", gateway: "10.71.31.1" },
  { name: "nat64-02", own: "10.71.32.64", gateway: "10.71.32.1" },
] as const;

describeLab("DNS64 and NAT64, as rendered, for an instance with IPv6 only", NEEDS, () => {
  let lab: Lab;
  let cluster: Cluster;
  let files: readonly RenderedFile[];
  let world: ChildProcess;
  const requests: string[] = [];

  beforeAll(async () => {
    lab = await sharedLab();
    const path = join(import.meta.dirname, "nat64.yaml");
    cluster = readCluster(path);
    files = renderCluster(cluster, { source: "nat64.yaml", secret: () => "" });
    world = await startWorld();
    await Promise.all([...PLANS.map(async (plan) => await launch(plan)), launchClient()]);
  });
  afterAll(async () => {
    world?.kill();
    await lab?.first.sh("for name in v6only-01 nat64-01 nat64-02; do lxc delete -f $name || true; done");
    if (lab !== undefined) await healthy(lab);
  });

  async function startWorld(): Promise<ChildProcess> {
    const argv = [process.execPath, join(import.meta.dirname, "world.ts"), CLIENT.ipv4, String(HTTP_PORT), CLIENT.ipv6];
    const [program, ...args] = lab.argv("client", argv);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    await once(lines, "line");
    lines.on("line", (line) => requests.push(line));
    return child;
  }

  async function launch({ name, own, gateway }: (typeof PLANS)[number]): Promise<void> {
    const instance = cluster.projects[0]?.instances.find((each) => each.name === name);
    if (instance === undefined) throw new TypeError(`${name} is not in nat64.yaml`);
    const routes = (family: 4 | 6): string => instance.routes.filter((route) => route.family === family).join(",");
    const resolver = cluster.dns?.resolvers?.addresses.join(",/128,") ?? "";
    await create(name, instance.on ?? "", {
      config: {
        "environment.LAB_SERVICE": "resolver nat64",
        "environment.LAB_ADDRESSES": `eth0=${own}/24 lo=${resolver}/128`,
        "environment.LAB_ROUTES": `default=${gateway}`,
      },
      device: {
        network: instance.network ?? "",
        "ipv4.address": own,
        "ipv4.routes.external": routes(4),
        "ipv6.routes.external": routes(6),
      },
      files: {
        "etc/unbound/unbound.conf": text("dns/unbound.conf"),
        ...Object.fromEntries(
          ["tayga.conf", "nftables.conf", "sysctl.d/60-nat64.conf", "systemd/system/tayga.service"].map((path) => [
            `etc/${path}`,
            text(`nat64/default/${name}/etc/${path}`),
          ]),
        ),
      },
    });
  }

  async function launchClient(): Promise<void> {
    const nameserver = cluster.dns?.resolvers?.addresses[0]?.toString() ?? "";
    await create("v6only-01", "orilla", {
      config: {},
      device: { network: "mail" },
      files: { "etc/resolv.conf": `nameserver ${nameserver}\n` },
    });
  }

  async function create(
    name: string,
    target: string,
    { config, device, files: contents }: Record<"config" | "device" | "files", Record<string, string>>,
  ): Promise<void> {
    const server = lab.server(target);
    const definition = JSON.stringify({ config, devices: { eth0: { type: "nic", name: "eth0", ...device } } });
    await server.exec(["lxc", "-q", "init", "trivet", name, "--target", target], { input: definition });
    for (const [path, input] of Object.entries(contents))
      await server.exec(["lxc", "file", "push", "-p", "--mode=0644", "-", `${name}/${path}`], { input });
    await server.exec(["lxc", "start", name]);
  }

  function text(path: string): string {
    return files.find((file) => file.path === path)?.text ?? "";
  }

  async function inside(...argv: string[]): Promise<string> {
    const { stdout } = await lab
      .server("orilla")
      .exec(["lxc", "exec", "v6only-01", "--", ...argv], { timeout: 20_000 });
    return stdout;
  }

  /** What the host with IPv4 only says to the instance with IPv6 only. */
  async function fetched(): Promise<string> {
    const request = String.raw`GET / HTTP/1.0\r\nHost: old.world.example\r\n\r\n`;
    return await inside("sh", "-c", `printf '${request}' | nc -w 3 old.world.example ${HTTP_PORT}`);
  }

  /** The public addresses that belong to one of the two. */
  function pool(name: string): readonly Prefix[] {
    const instance = cluster.projects[0]?.instances.find((each) => each.name === name);
    return (instance?.routes ?? []).filter((route) => cluster.services.nat64?.pool.contains(route));
  }

  test("the instances announce one prefix, and each the addresses its answers come to", async () => {
    const wanted = [
      "2001:db8:1000:64::/96 abydos",
      "2001:db8:1000:64::/96 langara",
      "203.0.113.24/31 langara",
      "203.0.113.26/31 abydos",
    ];
    await eventually("the routers have them", async () => {
      const found = new Set(await table(lab));
      return wanted.every((line) => found.has(line));
    });
  });

  test("an instance without IPv4 fetches from a host without IPv6", async () => {
    expect(await inside("ip", "-4", "address", "show", "eth0")).not.toContain("inet ");
    await eventually("it has it", async () => (await fetched()).includes("Here is IPv4 only."), 30_000);
    const [from = ""] = requests;
    expect([...pool("nat64-01"), ...pool("nat64-02")].some((part) => part.contains(Prefix.parse(`${from}/32`)))).toBe(
      true,
    );
  });

  test("the resolvers make addresses of the prefix where there are none, and know the cluster's own names", async () => {
    const answers = async (name: string): Promise<string> => await inside("nslookup", "-type=aaaa", name);
    expect(await answers("old.world.example")).toContain("2001:db8:1000:64::c633:640a");
    expect(await answers("both.world.example")).toContain(CLIENT.ipv6);
    expect(await answers("mx.trivet.example")).toContain("2001:db8:1000:25::25");
  });

  test("one of them lost: the other goes on", async () => {
    await lab.server("langara").sh("lxc stop -f nat64-01");
    requests.length = 0;
    await eventually("it is fetched again", async () => (await fetched()).includes("200 OK"), 30_000);
    expect(pool("nat64-02").some((part) => part.contains(Prefix.parse(`${requests.at(-1) ?? ""}/32`)))).toBe(true);
  });
});
