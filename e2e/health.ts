import { ANYCAST, type Lab, MAIL, expectedRoutes } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Tools, client, healthy, table, whoAnswers } from "./lab.ts";

/** Asks the anycast address from inside, which needs no way to it; quick, and patient with a busy machine. */
const DNS_KEYS = {
  "user.trivet.check": `exec:nslookup mx.trivet.example ${ANYCAST.ipv4}`,
  "user.trivet.check.interval": "2",
  "user.trivet.check.fast": "1",
  "user.trivet.check.timeout": "10",
  "user.trivet.check.fall": "2",
};
const WEB_KEYS = { ...DNS_KEYS, "user.trivet.check": "http://:80/" };

interface View {
  readonly instance: string;
  readonly state: string;
  readonly verdict: string;
  readonly error?: string;
}

/** Services that are checked, on LXD as on Incus. */
export function checksServices(lab: () => Lab, { cli, units }: Tools): void {
  /** The key-value pairs of `${cli} config set`; without values they are removed. */
  async function configure(name: string, project: string, keys: Readonly<Record<string, string>>, on: boolean) {
    const pairs = Object.entries(keys).map(([key, value]) => `'${key}=${on ? value : ""}'`);
    await lab().first.sh(`${cli} config set ${name} --project ${project} ${pairs.join(" ")}`);
  }

  async function configureAll(on: boolean): Promise<void> {
    for (const name of ["dns01", "dns02", "dns03"]) await configure(name, "dns", DNS_KEYS, on);
    await configure("mx01", "default", WEB_KEYS, on);
  }

  async function checks(server: string): Promise<readonly View[]> {
    const text = await lab().server(server).sh("curl -s --unix-socket /run/trivet/agent.sock http://agent/v1/health");
    return (JSON.parse(text) as { checks: View[] }).checks;
  }

  async function inside(name: string, project: string, script: string): Promise<void> {
    await lab().first.sh(`${cli} exec ${name} --project ${project} -- sh -c '${script}'`);
  }

  const announces = async (server: string, address: string): Promise<boolean> =>
    (await table(lab())).some((line) => line.startsWith(`${address}/`) && line.endsWith(` ${server}`));

  beforeAll(async () => {
    await configureAll(true);
    for (const { name } of lab().servers)
      await eventually(`the checks on ${name} pass`, async () => {
        const all = await checks(name);
        return all.length > 0 && all.every(({ state }) => state === "passing");
      });
  });
  afterEach(async () => {
    await healthy(lab());
  });
  afterAll(async () => {
    await configureAll(false);
  });

  test("a check that is given to running instances withdraws nothing", async () => {
    expect(await table(lab())).toEqual(expectedRoutes(lab().topology));
  });

  test("a name server that died in a running instance: its routes go, the others answer every query; and it comes back", async () => {
    await inside("dns02", "dns", "chmod -x /usr/sbin/nsd; killall nsd");
    try {
      for (const address of [ANYCAST.ipv4, ANYCAST.ipv6])
        await eventually(`${address} is withdrawn`, async () => !(await announces("abydos", address)), 60_000);
      expect(await lab().first.sh(`${cli} list dns02 --project dns -c s -f csv`)).toBe("RUNNING\n");
      expect(await announces("langara", ANYCAST.ipv4)).toBe(true);
      for (let i = 0; i < 20; i++) expect(await whoAnswers(lab(), ANYCAST.ipv4)).toMatch(/^"dns0[13]"$/);
      expect(await checks("abydos")).toContainEqual(
        expect.objectContaining({
          instance: "dns02",
          state: "failing",
          error: expect.stringContaining("exit status 1"),
        }),
      );
      const explained = await lab()
        .server("abydos")
        .sh(`curl -s --unix-socket /run/trivet/agent.sock 'http://agent/v1/routes/explain?prefix=${ANYCAST.ipv4}'`);
      expect(explained).toMatch(/not announced: .*dns02.*its check `check` fails since .*: exit status 1/);
    } finally {
      await inside("dns02", "dns", "chmod +x /usr/sbin/nsd");
    }
    await eventually("it is announced again", async () => await announces("abydos", ANYCAST.ipv4), 60_000);
  });

  test("a web server that answers 404 is withdrawn, while its network stays", async () => {
    await inside("mx01", "default", "mv /srv/www/index.html /srv/www/off");
    try {
      await eventually("its route is withdrawn", async () => !(await announces("abydos", MAIL.ipv4)), 60_000);
      expect(await checks("abydos")).toContainEqual(
        expect.objectContaining({ instance: "mx01", state: "failing", error: "HTTP status 404" }),
      );
      const gone = [`${MAIL.ipv4}/32 abydos`, `${MAIL.ipv6}/128 abydos`];
      expect(await table(lab())).toEqual(expectedRoutes(lab().topology).filter((line) => !gone.includes(line)));
    } finally {
      await inside("mx01", "default", "mv /srv/www/off /srv/www/index.html");
    }
    await eventually("it is announced again", async () => await announces("abydos", MAIL.ipv4), 60_000);
    expect(await client(lab(), "curl", "-sf", "-m", "5", `http://${MAIL.ipv4}/`)).toBe("mx01");
  });

  test("the daemon stopped: nothing can be checked inside instances, that is shown, and nothing is withdrawn", async () => {
    const abydos = lab().server("abydos");
    await abydos.sh(`systemctl stop ${units}`);
    try {
      await eventually(
        "the check of dns02 is unknown",
        async () => (await checks("abydos")).find(({ instance }) => instance === "dns02")?.state === "unknown",
        60_000,
      );
      expect(await table(lab())).toEqual(expectedRoutes(lab().topology));
    } finally {
      await abydos.sh(`systemctl start ${units}`);
    }
    await eventually(
      "it passes again",
      async () => (await checks("abydos")).every(({ state }) => state === "passing"),
      60_000,
    );
  });
}
