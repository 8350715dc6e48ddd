import { ANYCAST, type Lab, MAIL, expectedRoutes, routerShow } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, expect, test } from "vitest";
import { type Tools, client, healthy, table, whoAnswers } from "./lab.ts";

/** What the agents of a healthy lab do, on LXD as on Incus. */
export function announces(lab: () => Lab, { cli, units }: Tools): void {
  afterEach(async () => {
    await healthy(lab());
  });

  const has = async (...lines: string[]): Promise<boolean> => {
    const found = new Set(await table(lab()));
    return lines.every((line) => found.has(line));
  };
  const without = async (text: string): Promise<boolean> => !(await table(lab())).some((line) => line.includes(text));
  const mailAt = (server: string): string[] => [`${MAIL.ipv4}/32 ${server}`, `${MAIL.ipv6}/128 ${server}`];

  test("every router has exactly the expected routes, and the next hops of the OVN routers", async () => {
    for (const { router } of lab().topology.servers)
      await eventually(
        `${router.name} has them, and no other`,
        async () => (await table(lab(), router.name)).join("\n") === expectedRoutes(lab().topology).join("\n"),
      );
    const kernel = await routerShow(lab(), "frr01", `show ip route ${ANYCAST.ipv4}/32 json`);
    const [route] = (
      JSON.parse(kernel) as Record<string, { nexthops: { ip: string; fib?: boolean; interfaceName?: string }[] }[]>
    )[`${ANYCAST.ipv4}/32`] as [{ nexthops: { ip: string; fib?: boolean; interfaceName?: string }[] }];
    const nextHops = route.nexthops.filter((hop) => hop.fib === true);
    expect(nextHops.map((hop) => hop.interfaceName)).toEqual(["uplink", "uplink", "uplink"]);
    expect(new Set(nextHops.map((hop) => hop.ip)).size).toBe(3);
  });

  test("the cluster's own BGP is off", async () => {
    for (const server of lab().servers) expect(await server.sh(`${cli} config get core.bgp_asn`)).toBe("\n");
  });

  test("packets from the world reach external addresses and the anycast address", async () => {
    for (const address of [MAIL.ipv4, MAIL.ipv6, ANYCAST.ipv4, ANYCAST.ipv6])
      await eventually(
        `three packets in a row come back from ${address}`,
        async () => await client(lab(), "ping", "-c", "3", "-i", "0.2", "-W", "2", address),
      );
    expect(await client(lab(), "curl", "-sf", "-m", "5", `http://${MAIL.ipv4}/`)).toBe("mx01");
    expect(await client(lab(), "dig", "+short", `@${ANYCAST.ipv4}`, "mx.trivet.example", "A")).toBe(MAIL.ipv4);
  });

  test("stop withdraws an instance's routes, start announces them again", async () => {
    await lab().first.sh(`${cli} stop -f mx01`);
    await eventually("the routes are gone", async () => await without(MAIL.ipv4));
    expect(await without(MAIL.ipv6)).toBe(true);
    await lab().first.sh(`${cli} start mx01`);
    await eventually("the routes are back", async () => await has(...mailAt("abydos")));
    await eventually("packets arrive", async () => await client(lab(), "ping", "-c", "1", "-W", "1", MAIL.ipv4));
  });

  test("an instance that moves is announced by the server it runs on", async () => {
    await lab().first.sh(`${cli} stop -f mx01; ${cli} move mx01 --target orilla; ${cli} start mx01`);
    await eventually("orilla announces it", async () => await has(...mailAt("orilla")));
    expect(await has(...mailAt("abydos"))).toBe(false);
    await eventually("packets arrive", async () => await client(lab(), "ping", "-c", "1", "-W", "1", MAIL.ipv4));
    await lab().first.sh(`${cli} stop -f mx01; ${cli} move mx01 --target abydos; ${cli} start mx01`);
  });

  test("a new instance is announced, a deleted one withdrawn", async () => {
    const route = "203.0.113.20/32";
    await lab().first.sh(`
    ${cli} -q init trivet gone --target langara -n mail </dev/null
    ${cli} config device set gone eth0 ipv4.address=10.71.25.77 ipv4.routes.external=${route}
    ${cli} start gone
  `);
    await eventually("the route appears", async () => await has(`${route} langara`));
    await lab().first.sh(`${cli} delete -f gone`);
    await eventually("the route disappears", async () => await without(route));
  });

  test("an agent that is killed and comes back loses no route, neither its own nor another server's", async () => {
    const expected = expectedRoutes(lab().topology);
    const agent = lab().server("langara");
    const before = await agent.sh("systemctl show -P MainPID trivet-agent");
    await agent.sh("systemctl kill -s KILL trivet-agent");
    const samples: string[][] = [];
    await eventually(
      "a new agent has its sessions",
      async () => {
        samples.push(await table(lab()));
        const pid = await agent.sh("systemctl show -P MainPID trivet-agent");
        const summary = await routerShow(lab(), "frr01", "show bgp ipv4 unicast summary json");
        const { peers } = JSON.parse(summary) as { peers: Record<string, { state: string }> };
        return pid !== before && pid !== "0\n" && peers[agent.plan.hosts4]?.state === "Established";
      },
      90_000,
    );
    samples.push(await table(lab()));
    expect(samples.length).toBeGreaterThan(1);
    for (const sample of samples) expect(sample).toEqual(expected);
  });

  test("a stopped daemon withdraws nothing, and its instances stay reachable", async () => {
    const abydos = lab().server("abydos");
    await abydos.sh(`systemctl stop ${units}`);
    try {
      await eventually("the agent says that it does not answer", async () => {
        const status = await abydos.sh(`curl -s --unix-socket /run/trivet/agent.sock http://agent/v1/status`);
        return !(JSON.parse(status) as { lxd: { connected: boolean } }).lxd.connected;
      });
      expect(await table(lab())).toEqual(expectedRoutes(lab().topology));
      await eventually(
        "three packets in a row come back",
        async () => await client(lab(), "ping", "-c", "3", "-i", "0.2", "-W", "2", MAIL.ipv4),
      );
    } finally {
      await abydos.sh(`systemctl start ${units}`);
    }
    await eventually(
      "it is back",
      async () => (await lab().first.sh(`${cli} cluster list -f csv`)).match(/ONLINE/g)?.length === 3,
    );
  });

  test("a server that loses power leaves the anycast service to the others, and comes back by a real boot", async () => {
    const orilla = lab().server("orilla");
    await orilla.kill();
    await eventually(
      // Nothing tells the routers: 9 s of hold time, and 30 s in which it might have been a restart.
      "its routes are gone",
      async () => !(await table(lab())).some((line) => line.endsWith(" orilla")),
      60_000,
    );
    expect(await has(`${ANYCAST.ipv4}/32 langara`, `${ANYCAST.ipv4}/32 abydos`)).toBe(true);
    await eventually("the anycast address answers", async () => await whoAnswers(lab(), ANYCAST.ipv4));
    await orilla.start();
  });
}
