import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CLIENT, type Lab, type Server, TRANSFER_KEY, ZONES, agentConfig } from "@trivet/lab";
import { describeLab, eventually as waitFor } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NEEDS, client, healthy, sharedLab, table } from "./lab.ts";
import { ORIGINS, PORTS, Secondary } from "./secondaries.ts";

const needs = { programs: [...NEEDS.programs, "nsd", "knotd", "named"] };
const SIGNED = ["-y", `hmac-sha256:${TRANSFER_KEY.name}:${TRANSFER_KEY.secret}`];
/** Held by every server on lo, in the prefixes that the agents may announce. */
const NAME_SERVER = { ipv4: "203.0.113.6", ipv6: "2001:db8:1000:53::6" } as const;
const INSTANCE = "edns1";
const NAME = `${INSTANCE}.web.${ZONES.forward}`;
const ROUNDS = 5;

/** A machine that runs a whole cluster has other things to do as well. */
async function eventually<T>(what: string, probe: () => T | Promise<T>): Promise<NonNullable<T>> {
  return await waitFor(what, probe, 90_000);
}

interface DnsStatus {
  readonly zones: readonly {
    readonly origin: string;
    readonly serial?: number;
    readonly behind: boolean;
    readonly waited?: number;
  }[];
  readonly secondaries: readonly { readonly target: string; readonly state: string }[];
  readonly counters: Readonly<Record<string, number>>;
}

describeLab("DNS of a real cluster, real secondaries", needs, () => {
  let lab: Lab;
  let folder: string;
  let secondaries: readonly Secondary[] = [];

  beforeAll(async () => {
    lab = await sharedLab();
    folder = mkdtempSync(join(tmpdir(), "trivet-e2e-dns-"));
    const targets = Object.values(PORTS).map((port) => `{address: "${CLIENT.ipv6}", port: ${port}, key: transfer}`);
    await everywhere(async (server) => {
      for (const address of Object.values(NAME_SERVER)) await server.sh(`ip address replace ${address} dev lo`);
      await configure(server, [
        `anycast: [${NAME_SERVER.ipv4}, "${NAME_SERVER.ipv6}"]`,
        `notify: [${targets.join(", ")}]`,
      ]);
    });
    secondaries = (["nsd", "knot", "bind"] as const).map((kind) => new Secondary(kind, lab, folder));
    for (const secondary of secondaries) await secondary.start();
  });

  afterAll(async () => {
    for (const secondary of secondaries) await secondary.stop();
    await lab.first.sh(`lxc delete -f --project web ${INSTANCE} || true`);
    await everywhere(async (server) => {
      for (const address of Object.values(NAME_SERVER)) await server.sh(`ip address del ${address} dev lo || true`);
      await configure(server, []);
    });
    rmSync(folder, { recursive: true });
    await healthy(lab);
  });

  async function everywhere(act: (server: Server) => Promise<unknown>): Promise<void> {
    await Promise.all(lab.servers.map(act));
  }

  async function configure(server: Server, dns: readonly string[]): Promise<void> {
    const lines = dns.map((line) => `  ${line}\n`).join("");
    await server.write("/etc/trivet/agent.yaml", agentConfig(server.plan, lab.topology) + lines, 0o600);
    await server.sh("systemctl restart trivet-agent");
  }

  async function status(server: Server): Promise<DnsStatus> {
    return JSON.parse(
      await server.sh("curl -sf --unix-socket /run/trivet/agent.sock http://agent/v1/dns"),
    ) as DnsStatus;
  }

  /** The serials that all servers answer with, by zone, once they are the same. */
  async function agreed(): Promise<Record<string, number>> {
    return await eventually("all servers answer with the same serials", async () => {
      const all = await Promise.all(lab.servers.map(status));
      if (all.some(({ zones }) => zones.some(({ behind }) => behind))) return undefined;
      const [first, ...others] = all.map(({ zones }) =>
        JSON.stringify(Object.fromEntries(zones.map(({ origin, serial }) => [origin, serial]))),
      );
      const same = first !== undefined && others.every((one) => one === first);
      return same ? (JSON.parse(first) as Record<string, number>) : undefined;
    });
  }

  async function transfer(server: Server, zone: string): Promise<string[]> {
    const address = server.plan.hosts6;
    const text = await client(lab, "dig", `@${address}`, ...SIGNED, "+noall", "+answer", "+onesoa", zone, "AXFR");
    return text.split("\n").sort();
  }

  async function caughtUp(): Promise<Record<string, number>> {
    const serials = await agreed();
    for (const secondary of secondaries)
      for (const origin of ORIGINS)
        await eventually(
          `${secondary.kind} has ${origin} ${serials[`${origin}.`] ?? "-"}`,
          async () => (await secondary.serial(origin)) === serials[`${origin}.`],
        );
    return serials;
  }

  /** Full and incremental transfers that all servers gave, since they started. */
  async function transfers(): Promise<{ full: number; incremental: number }> {
    const all = await Promise.all(lab.servers.map(status));
    const sum = (counter: string): number => all.reduce((total, { counters }) => total + (counters[counter] ?? 0), 0);
    return { full: sum("transfers"), incremental: sum("incrementalTransfers") };
  }

  async function change(text: string): Promise<void> {
    const before = (await agreed())[`${ZONES.forward}.`] ?? 0;
    await lab.first.sh(`lxc config set --project web web01 user.dns.records 'e2e TXT "${text}"'`);
    await eventually("the change has a serial", async () => ((await agreed())[`${ZONES.forward}.`] ?? 0) > before);
  }

  test("three agents answer with the same zones under the same serials", async () => {
    await agreed();
    for (const zone of [...ORIGINS, ZONES.catalog]) {
      const [first, ...others] = await Promise.all(lab.servers.map(async (server) => await transfer(server, zone)));
      expect(first?.length).toBeGreaterThan(3);
      for (const other of others) expect(other).toEqual(first);
    }
  });

  test("names, addresses and PTR records of instances, routers, gateways and servers", async () => {
    const at = `@${lab.first.plan.hosts6}`;
    const ask = async (...words: string[]): Promise<string[]> =>
      (await client(lab, "dig", at, "+short", ...words)).split("\n").sort();
    expect(await ask(`mx01.default.${ZONES.forward}`, "A")).toEqual(["10.71.25.10", "203.0.113.10"]);
    expect(await ask(`mx01.default.${ZONES.forward}`, "AAAA")).toContain("2001:db8:1000:25::25");
    // The routers' NICs are on no network of LXD's: only they know their addresses.
    expect(await ask(`frr02.default.${ZONES.forward}`, "A")).toContain("192.0.2.12");
    expect(await ask(`web.gw.${ZONES.forward}`, "A")).toEqual(["10.71.10.1"]);
    expect(await ask(`${lab.first.name}.server.${ZONES.forward}`, "A")).toEqual([lab.first.plan.mesh]);
    expect(await ask(`10.${ZONES.reverse4}`, "PTR")).toEqual([`mx01.default.${ZONES.forward}.`]);
    expect(await ask("-x", "2001:db8:1000:25::25")).toEqual([`mx01.default.${ZONES.forward}.`]);
    expect(await ask("-x", "10.71.10.1")).toEqual([`web.gw.${ZONES.forward}.`]);
  });

  test("NSD, Knot and BIND have every zone; Knot and BIND by the catalog alone", { timeout: 300_000 }, async () => {
    await caughtUp();
    for (const secondary of secondaries)
      expect(await secondary.dig("+short", `web.gw.${ZONES.forward}`, "A")).toBe("10.71.10.1");
  });

  test(
    "an instance that starts is resolvable at once, on every server and secondary",
    { timeout: 300_000 },
    async () => {
      const { first } = lab;
      await first.sh(`lxc init trivet ${INSTANCE} --project web --network web --target ${first.name} </dev/null`);
      const servers = lab.servers.map(({ plan }) => `${plan.hosts6} 53`);
      const all = [...servers, ...Object.values(PORTS).map((port) => `${CLIENT.ipv6} ${port}`)];
      const took: Record<string, number[]> = Object.fromEntries(all.map((endpoint) => [endpoint, []]));
      const waited: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const started = await startedAt(first, INSTANCE);
        const poll = await polling([NAME, "A", ...all.flatMap((endpoint) => endpoint.split(" "))]);
        await first.sh(`lxc start --project web ${INSTANCE}`);
        const [began, answered] = [await started.time, await poll.answered];
        started.stop();
        for (const endpoint of all) took[endpoint]?.push((answered[endpoint] ?? Number.POSITIVE_INFINITY) - began);
        for (const { zones } of await Promise.all(lab.servers.map(status)))
          waited.push(zones.find(({ origin }) => origin === `${ZONES.forward}.`)?.waited ?? Number.POSITIVE_INFINITY);
        await first.sh(`lxc stop -f --project web ${INSTANCE}`);
        await eventually("a stopped instance gives its lease back", async () =>
          (
            await Promise.all([...servers, ...Object.values(PORTS).map((port) => `${CLIENT.ipv6} ${port}`)].map(silent))
          ).every(Boolean),
        );
      }
      const names = [...lab.servers.map(({ name }) => name), ...Object.keys(PORTS)];
      for (const [i, endpoint] of all.entries()) {
        // Machines that test have other things to do; what it is on a quiet one is in the documents.
        expect(
          median(`resolvable on ${names[i] ?? ""} after LXD's "instance-started"`, took[endpoint] ?? []),
        ).toBeLessThan(2_000);
      }
      expect(median("answered on a server after it knew the address", waited)).toBeLessThan(1_000);
    },
  );

  /** True when an endpoint has no address for the test's instance. */
  async function silent(endpoint: string): Promise<boolean> {
    const [address, port = "53"] = endpoint.split(" ");
    return (await client(lab, "dig", "+short", `@${address ?? ""}`, "-p", port, NAME, "A")) === "";
  }

  /** When LXD tells that an instance has started: milliseconds since 1970. */
  async function startedAt(server: Server, name: string): Promise<{ time: Promise<number>; stop: () => void }> {
    const monitor = `lxc monitor --all-projects --type lifecycle --format json`;
    const [file, ...args] = server.argv(["sh", "-c", `echo; exec timeout 60 ${monitor}`]);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = linesOf(child);
    await lines.next();
    // The program is about to connect; nothing tells when it has.
    await server.sh("sleep 1");
    const time = (async () => {
      for await (const line of lines) {
        if (line === "") continue;
        const event = JSON.parse(line) as { timestamp: string; metadata: { action: string; source: string } };
        if (event.metadata.action === "instance-started" && event.metadata.source.includes(`/${name}`))
          return Date.parse(event.timestamp);
      }
      throw new Error("LXD's events ended");
    })();
    const stop = (): void => {
      child.kill();
      child.stdout.destroy();
    };
    return { time, stop };
  }

  /** Has every endpoint asked from the client host until it answers. */
  async function polling(words: readonly string[]): Promise<{ answered: Promise<Record<string, number>> }> {
    const script = join(import.meta.dirname, "dns-poll.ts");
    const [file, ...args] = lab.argv("client", [process.execPath, script, ...words]);
    const lines = linesOf(spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] }));
    await lines.next();
    const answered = lines.next().then(({ value }) => JSON.parse(value ?? "{}") as Record<string, number>);
    return { answered };
  }

  test("a secondary that was away gets the changes, not the zone", { timeout: 300_000 }, async () => {
    await caughtUp();
    const knot = secondaries.find(({ kind }) => kind === "knot");
    const before = await transfers();
    await knot?.stop();
    for (const text of ["one", "two", "three"]) await change(text);
    await knot?.start();
    await caughtUp();
    const after = await transfers();
    expect(after.full).toBe(before.full);
    expect(after.incremental).toBeGreaterThan(before.incremental);
    expect(await knot?.dig("+short", `e2e.web01.web.${ZONES.forward}`, "TXT")).toBe('"three"');
  });

  test(
    "all agents restart: the same serials, and the next change is an incremental transfer",
    { timeout: 300_000 },
    async () => {
      const before = await caughtUp();
      await everywhere(async (server) => await server.sh("systemctl restart trivet-agent"));
      expect(await agreed()).toEqual(before);
      await change("after");
      await caughtUp();
      const { full, incremental } = await transfers();
      expect(full).toBe(0);
      expect(incremental).toBeGreaterThanOrEqual(secondaries.length);
    },
  );

  describe("an agent that is killed", () => {
    test("is missed by nobody: the others answer, and agree on what is new", { timeout: 300_000 }, async () => {
      const [dead, ...alive] = lab.servers as [Server, ...Server[]];
      await dead.sh("systemctl kill -s KILL trivet-agent; systemctl stop trivet-agent");
      const before = (await status(alive[0] as Server)).zones[0]?.serial ?? 0;
      await lab.first.sh(`lxc config set --project web web01 user.dns.records 'e2e TXT "alone"'`);
      for (const server of alive)
        await eventually(
          `${server.name} has the change`,
          async () => ((await status(server)).zones[0]?.serial ?? 0) > before,
        );
      for (const secondary of secondaries)
        await eventually(`${secondary.kind} has the change`, async () =>
          (await secondary.dig("+short", `e2e.web01.web.${ZONES.forward}`, "TXT")).includes("alone"),
        );
      await dead.sh("systemctl start trivet-agent");
      await agreed();
    });
  });

  describe("the anycast address", () => {
    const announced = async (): Promise<string[]> =>
      (await table(lab))
        .filter((line) => line.startsWith(`${NAME_SERVER.ipv4}/32 `))
        .map((line) => line.split(" ")[1] ?? "");
    const byAll = async (): Promise<boolean> => (await announced()).length === lab.servers.length;
    /** The server that answers a client beyond the providers. */
    const answering = async (address: string): Promise<string | undefined> =>
      /NSID: .*\("([^"]+)"\)/.exec(
        await client(lab, "dig", `@${address}`, "+nsid", "+tries=1", "+time=1", ZONES.forward, "SOA"),
      )?.[1];

    test("is announced by every server, and answers clients beyond the providers", async () => {
      await eventually("three routes", byAll);
      for (const address of Object.values(NAME_SERVER))
        expect(lab.servers.map(({ name }) => name)).toContain(await answering(address));
    });

    test("is withdrawn where the name server no longer answers on it; others do", async () => {
      await eventually("three routes", byAll);
      const name = await answering(NAME_SERVER.ipv4);
      const server = lab.server(name ?? "");
      await server.sh(`ip address del ${NAME_SERVER.ipv4} dev lo`);
      const began = Date.now();
      await eventually("the route is withdrawn", async () => !(await announced()).includes(server.name));
      tell(`withdrawn ${Date.now() - began} ms after the address no longer answered`);
      const other = await eventually("another answers", async () => await answering(NAME_SERVER.ipv4));
      expect(other).not.toBe(server.name);
      await server.sh(`ip address replace ${NAME_SERVER.ipv4} dev lo`);
      await eventually("announced again", byAll);
    });

    test("is withdrawn before the agent ends, so that no query is lost", { timeout: 300_000 }, async () => {
      await eventually("three routes", byAll);
      const server = lab.server((await answering(NAME_SERVER.ipv4)) ?? "");
      const lost: string[] = [];
      let asked = 0;
      const stopped = new AbortController();
      const asking = (async () => {
        while (!stopped.signal.aborted) {
          asked++;
          const who = await answering(NAME_SERVER.ipv4).catch((error: unknown) => String(error));
          if (who === undefined || !lab.servers.some(({ name }) => name === who)) lost.push(who ?? "no answer");
        }
      })();
      await server.sh("systemctl stop trivet-agent");
      await eventually("the route is withdrawn", async () => !(await announced()).includes(server.name));
      expect(await answering(NAME_SERVER.ipv4)).not.toBe(server.name);
      stopped.abort();
      await asking;
      await server.sh("systemctl start trivet-agent");
      await eventually("announced again", byAll);
      tell(`${asked} queries while the agent stopped, ${lost.length} without an answer`);
      expect(lost).toEqual([]);
    });
  });

  describe("strangers", () => {
    test.each([
      ["unsigned", [], "Transfer failed"],
      ["with another secret", ["-y", `hmac-sha256:${TRANSFER_KEY.name}:b3RoZXI=`], "BADSIG"],
      ["with an unknown key", ["-y", `hmac-sha256:other:${TRANSFER_KEY.secret}`], "BADKEY"],
    ])("get no zone: %s", async (_, key, answer) => {
      const text = await client(lab, "dig", `@${lab.first.plan.hosts6}`, ...key, ZONES.forward, "AXFR");
      expect(text).toContain(answer);
      expect(text).not.toContain("web01");
    });

    test("values that are none are reported, and harm nothing else", async () => {
      await lab.first.sh(`lxc config set --project web web02 user.dns.records 'e2e A 300.0.0.1'`);
      const { problems } = await eventually("the problem is reported", async () => {
        const answer = (await status(lab.first)) as DnsStatus & { problems: { where: string }[] };
        return answer.problems.length > 0 ? answer : undefined;
      });
      expect(problems[0]).toMatchObject({ where: "instance web/web02", key: "user.dns.records" });
      expect(await client(lab, "dig", "+short", `@${lab.first.plan.hosts6}`, `web02.web.${ZONES.forward}`, "A")).toBe(
        "10.71.10.12",
      );
      await lab.first.sh("lxc config unset --project web web02 user.dns.records");
      await lab.first.sh("lxc config unset --project web web01 user.dns.records");
    });
  });
});

/** Tells figures, in milliseconds, and their median, which it returns. */
function median(what: string, times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY;
  tell(`${what}: median ${middle.toFixed(0)} ms, all ${sorted.map((ms) => ms.toFixed(0)).join(" ")}`);
  return middle;
}

/** A figure, for who runs this to measure. */
function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string, undefined> {
  if (child.stdout !== null) yield* createInterface(child.stdout);
  return undefined;
}
