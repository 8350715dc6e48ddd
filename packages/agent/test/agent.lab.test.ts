import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Namespace } from "@trivet/lab";
import { LxdClient } from "@trivet/lxd";
import { Bird, Daemon, Frr, type Router, busyboxImage, describeLab, eventually } from "@trivet/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ExplainAnswer, StatusAnswer } from "../src/api/types.ts";
import { AgentClient } from "../src/api/client.ts";

const PROGRAMS = [
  "lxd",
  "lxc",
  "busybox",
  "dnsmasq",
  "bgpd",
  "zebra",
  "vtysh",
  "bird",
  "birdc",
  "ping",
  "curl",
  "openssl",
];
/** The source, or with TRIVET_PROGRAM another trivet, such as the packed one. */
const { TRIVET_PROGRAM } = process.env;
const TRIVET: [string, ...string[]] =
  TRIVET_PROGRAM === undefined
    ? [process.execPath, join(import.meta.dirname, "../../cli/src/main.ts")]
    : [TRIVET_PROGRAM];
const PASSWORD = "correct horse";

/** The instance sets its own addresses: the bridge gives none. */
const RC = `#!/bin/sh
ip link set lo up
ip link set eth0 up
ip address add 10.77.0.5/24 dev eth0
ip address add 2001:db8:77::5/64 dev eth0
ip route add default via 10.77.0.1
ip -6 route add default via 2001:db8:77::1
ip address add 203.0.113.65/32 dev lo
ip address add 2001:db8:f::65/128 dev eth0
`;

const EXPECTED = {
  // The IPv4 subnet is behind NAT; its forward is not.
  4: ["203.0.113.65/32", "203.0.113.70/32"],
  6: ["2001:db8:77::/64", "2001:db8:f::65/128"],
} as const;

describe("the agent on a real LXD 5.0.2", () => {
  describeLab("with FRR and BIRD as its routers", { programs: PROGRAMS }, () => {
    let lxd: Daemon;
    let client: LxdClient;
    let frr: Frr;
    let bird: Bird;
    const routers: Namespace[] = [];
    const folder = mkdtempSync(join(tmpdir(), "trivet-agent-"));
    const socket = join(folder, "run/agent.sock");
    const log = { text: "" };
    let agent: ChildProcess | undefined;

    beforeAll(async () => {
      lxd = await Daemon.create("lxd", "agent");
      client = new LxdClient({ socketPath: lxd.socketPath }, { name: "lxd" });
      for (const number of [1, 2]) {
        const router = await Namespace.create(`agent-r${number}`);
        routers.push(router);
        await Namespace.link(
          lxd.namespace,
          { dev: `north${number}`, addresses: [`192.0.2.${number * 16 + 1}/28`, `2001:db8:${number}::1/64`] },
          router,
          { dev: "south", addresses: [`192.0.2.${number * 16 + 2}/28`, `2001:db8:${number}::2/64`] },
        );
      }
      await lxd.namespace.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
      const neighbors = (n: number) => [
        { address: `192.0.2.${n * 16 + 1}`, asn: 65010, families: [4] as const, holdTime: 9 },
        { address: `2001:db8:${n}::1`, asn: 65010, families: [6] as const, holdTime: 9 },
      ];
      frr = new Frr(routers[0] as Namespace, { asn: 65000, routerId: "192.0.2.18", neighbors: neighbors(1) });
      bird = new Bird(routers[1] as Namespace, {
        asn: 65001,
        routerId: "192.0.2.34",
        neighbors: neighbors(2).map((neighbor) => Object.assign(neighbor, { password: PASSWORD })),
      });
      await Promise.all([frr.start(), bird.start(), makeInstance()]);
      writeFileSync(join(folder, "password"), `${PASSWORD}\n`);
      writeFileSync(join(folder, "agent.yaml"), config());
      await startAgent();
    });

    afterEach((context) => {
      if (context.task.result?.state === "fail") process.stderr.write(`${log.text}\n`);
    });

    afterAll(async () => {
      if (agent?.exitCode === null) await endAgent("SIGKILL");
      await client?.close();
      await frr?.[Symbol.asyncDispose]();
      await bird?.[Symbol.asyncDispose]();
      await lxd?.[Symbol.asyncDispose]();
      for (const router of routers) await router.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    async function makeInstance(): Promise<void> {
      await client.pools.create({ name: "default", driver: "dir" });
      await client.profiles.update("default", { devices: { root: { type: "disk", path: "/", pool: "default" } } });
      const image = await client.upload("/1.0/images", await busyboxImage(RC), {
        "content-type": "application/octet-stream",
      });
      const fingerprint = String((await image.wait()).metadata?.["fingerprint"]);
      await client.networks.create({
        name: "br0",
        type: "bridge",
        config: {
          "ipv4.address": "10.77.0.1/24",
          "ipv4.nat": "true",
          "ipv4.dhcp": "false",
          "ipv6.address": "2001:db8:77::1/64",
          "ipv6.nat": "false",
          "ipv6.dhcp": "false",
        },
      });
      await client.networks.forwards("br0").create({ listen_address: "203.0.113.70" });
      await client.instances.create({
        name: "c1",
        source: { type: "image", fingerprint },
        devices: {
          eth0: {
            type: "nic",
            network: "br0",
            "ipv4.routes.external": "203.0.113.65/32",
            "ipv6.routes.external": "2001:db8:f::65/128",
          },
        },
      });
      await client.instances.setState("c1", { action: "start" });
    }

    function config(more = ""): string {
      return `asn: 65010
allow: [203.0.113.0/24, "2001:db8:77::/48", "2001:db8:f::/48"]
peers:
- { address: 192.0.2.18, asn: 65000, families: [4], holdTime: 9 }
- { address: "2001:db8:1::2", asn: 65000, families: [6], holdTime: 9 }
- { address: 192.0.2.34, asn: 65001, families: [4], holdTime: 9, passwordFile: ${folder}/password }
- { address: "2001:db8:2::2", asn: 65001, families: [6], holdTime: 9, passwordFile: ${folder}/password }
lxd: { socket: ${lxd.socketPath}, timeout: 2 }
api: { socket: ${socket} }
attributes: [{ match: 203.0.113.65/32, communities: ["65010:65"], med: 7 }]
${more}`;
    }

    async function startAgent(): Promise<void> {
      const child = lxd.namespace.spawn([...TRIVET, "agent", "--config", join(folder, "agent.yaml")], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      agent = child;
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk: Buffer) => (log.text += chunk.toString()));
      await eventually("the agent is ready, or ended", async () => child.exitCode !== null || (await status()).ready);
      if (child.exitCode !== null) throw new Error(log.text);
    }

    async function endAgent(signal: NodeJS.Signals): Promise<number | null> {
      if (agent === undefined) return null;
      const ended = once(agent, "exit") as Promise<[number | null]>;
      agent.kill(signal);
      return (await ended)[0];
    }

    async function status(): Promise<StatusAnswer> {
      await using api = new AgentClient(socket);
      return await api.get<StatusAnswer>("/v1/status");
    }

    async function routes(router: Router): Promise<string[]> {
      return [...(await router.routes(4)).keys(), ...(await router.routes(6)).keys()].sort();
    }

    async function bothHave(expected: readonly string[]): Promise<void> {
      const wanted = [...expected].sort().join(" ");
      for (const router of [frr, bird])
        await eventually(`${router.constructor.name} has ${wanted}`, async () => {
          const has = (await routes(router)).join(" ");
          if (has !== wanted) throw new Error(`it has ${has}`);
          return true;
        });
    }

    const everything = [...EXPECTED[4], ...EXPECTED[6]];

    test("both routers have exactly the expected routes; BIRD's sessions have a TCP-MD5 password", async () => {
      await bothHave(everything);
      expect((await frr.routes(4)).get("203.0.113.65/32")).toEqual(["192.0.2.17"]);
      expect((await bird.routes(6)).get("2001:db8:77::/64")).toEqual(["2001:db8:2::1"]);
    });

    test("FRR sees the configured attributes", async () => {
      const text = await frr.vtysh("show bgp ipv4 unicast 203.0.113.65/32 json");
      const { paths } = JSON.parse(text) as { paths: { metric: number; community: { string: string } }[] };
      expect(paths[0]).toMatchObject({ metric: 7, community: { string: "65010:65" } });
    });

    test("packets from the router reach the instance's external addresses", async () => {
      for (const address of ["203.0.113.65", "2001:db8:f::65"])
        await eventually(`${address} answers`, async () => await routers[0]?.run(["ping", "-c1", "-W1", address]));
    });

    test("stop withdraws, start announces, within the second", async () => {
      await client.instances.setState("c1", { action: "stop", force: true });
      await bothHave(["2001:db8:77::/64", "203.0.113.70/32"]);
      await client.instances.setState("c1", { action: "start" });
      await bothHave(everything);
    });

    test("a new forward and a changed network show", async () => {
      await client.networks.forwards("br0").create({ listen_address: "203.0.113.71" });
      await bothHave([...everything, "203.0.113.71/32"]);
      await client.networks.forwards("br0").remove("203.0.113.71");
      await client.networks.update("br0", { config: { "ipv4.nat.address": "203.0.113.200" } });
      await bothHave([...everything, "203.0.113.200/32"]);
      await client.networks.update("br0", { config: { "ipv4.nat.address": "" } });
      await bothHave(everything);
    });

    test("LXD stopped withdraws nothing; started again, what happened meanwhile shows", async () => {
      await lxd.stop();
      await eventually("the agent sees it", async () => (await status()).lxd.error);
      expect(await routes(frr)).toEqual([...everything].sort());
      await lxd.start();
      await eventually("the agent follows again", async () => {
        const { lxd } = await status();
        return lxd.connected && lxd.error === undefined;
      });
      await bothHave(everything);
    });

    test.each(["SIGTERM", "SIGKILL"] as const)(
      "restarted after %s, neither router loses a route for a moment",
      async (signal) => {
        const watch = new AbortController();
        const lost: string[] = [];
        const watching = Promise.all(
          [frr, bird].map(async (router) => {
            while (!watch.signal.aborted) {
              const has = await routes(router);
              if (has.length !== everything.length) lost.push(`${router.constructor.name}: ${has.join(" ")}`);
            }
          }),
        );
        await endAgent(signal);
        await startAgent();
        await eventually("all sessions are back", async () =>
          (await status()).sessions.every(({ state }) => state === "established"),
        );
        watch.abort();
        await watching;
        expect(lost).toEqual([]);
        await bothHave(everything);
      },
    );

    test("SIGHUP takes over a changed file, and keeps the old one if it is wrong", async () => {
      writeFileSync(join(folder, "agent.yaml"), config("projects: [nothing]\n"));
      agent?.kill("SIGHUP");
      await bothHave([]);
      writeFileSync(join(folder, "agent.yaml"), config("projcts: [nothing]\n"));
      agent?.kill("SIGHUP");
      await eventually("the refusal is logged", () => log.text.includes('unknown key \\"projcts\\"'));
      writeFileSync(join(folder, "agent.yaml"), config());
      agent?.kill("SIGHUP");
      await bothHave(everything);
    });

    test("the API on TLS lets in the cluster's certificate and nobody else", async () => {
      const state = dirname(lxd.socketPath);
      const url = "https://127.0.0.1:8444/v1/routes/explain?prefix=203.0.113.65";
      const curl = async (...args: string[]): Promise<string> =>
        (await lxd.namespace.run(["curl", "-sk", "-w", "\n%{http_code}", ...args, url])).stdout;
      const own = await curl("--cert", join(state, "server.crt"), "--key", join(state, "server.key"));
      const [body = "", code] = own.split("\n");
      expect(code).toBe("200");
      expect((JSON.parse(body) as ExplainAnswer).servers[0]).toMatchObject({ announced: true });
      const [key, certificate] = [join(folder, "x.key"), join(folder, "x.crt")];
      const subject = ["-subj", "/CN=x", "-days", "2", "-keyout", key, "-out", certificate];
      await lxd.namespace.run([
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        ...subject,
      ]);
      expect(await curl("--cert", certificate, "--key", key)).toMatch(/\n403$/);
      expect(await curl()).toMatch(/\n403$/);
      const der = readFileSync(certificate, "utf8").replace(/-----[^-]+-----|\n/g, "");
      await client.certificates.create({ type: "client", name: "x", certificate: der });
      await eventually("a client LXD trusts is let in", async () =>
        (await curl("--cert", certificate, "--key", key)).endsWith("\n200"),
      );
    });

    test("no secret is in the log", () => {
      expect(log.text).not.toContain(PASSWORD);
    });

    test("SIGINT says goodbye: the routes go at once, and the agent ends with 0", async () => {
      expect(await endAgent("SIGINT")).toBe(0);
      await bothHave([]);
    });

    test("a wrong configuration is refused in one line", async () => {
      writeFileSync(join(folder, "agent.yaml"), config("alow: []\n"));
      log.text = "";
      const child = lxd.namespace.spawn([...TRIVET, "agent", "--config", join(folder, "agent.yaml")]);
      child.stderr?.on("data", (chunk: Buffer) => (log.text += chunk.toString()));
      const [code] = (await once(child, "close")) as [number];
      expect(code).toBe(1);
      expect(log.text.split("\n")[0]).toMatch(/agent\.yaml:\d+:1: .*unknown key "alow"/);
    });
  });
});
