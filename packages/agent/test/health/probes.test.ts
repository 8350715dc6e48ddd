import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, type Server, createServer as createTcp } from "node:net";
import { DnsServer, Name, Zone, ZoneStore, readZoneFile } from "@trivet/dns";
import { Address } from "@trivet/ip";
import { DeadlineError, ExecDeadlineError, ServerError, UnreachableError } from "@trivet/lxd";
import { type Mock, afterEach, describe, expect, test, vi } from "vitest";
import type { Check } from "../../src/health/plan.ts";
import type { Executor } from "../../src/health/probes/exec.ts";
import { systemProbe } from "../../src/health/probes/probe.ts";
import type { Witness } from "../../src/health/probes/witness.ts";
import type { Outcome } from "../../src/health/state.ts";
import { parseTarget } from "../../src/health/target.ts";

const PASSED = { kind: "passed" };
const never = new AbortController().signal;
const open: Server[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Runs a check with an address of its own filled in: of this machine, unless told. */
async function probe(
  text: string,
  {
    address = "127.0.0.1",
    witness,
    timeout = 2_000,
    instances = {} as Executor,
    answers,
    asked = vi.fn<Witness>(),
  }: Partial<Setup> = {},
): Promise<Outcome> {
  const check: Check = {
    ...bare,
    text,
    target: parseTarget(text),
    timers: { ...bare.timers, timeout },
    address: Address.parse(address),
    ...(witness === undefined ? {} : { witness: Address.parse(witness) }),
  };
  const outcome = await systemProbe(instances, asked.mockResolvedValue(answers))(check, never);
  if (answers !== undefined) expect(asked).toHaveBeenCalledWith(witness);
  return outcome;
}

const bare = {
  id: "x",
  project: "web",
  instance: "c1",
  run: "1",
  name: "check",
  timers: { interval: 5_000, fast: 1_000, timeout: 2_000, rise: 2, fall: 3 },
};

interface Setup {
  readonly address: string;
  readonly witness: string;
  readonly timeout: number;
  readonly instances: Executor;
  /** Whether the witness does, which then must have been asked. */
  readonly answers: boolean | undefined;
  readonly asked: Mock<Witness>;
}

async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
  open.push(server);
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createTcp();
  const port = await listen(server);
  open.pop();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("http", () => {
  test("passes with a status from 200 to 399, asked by name and path, and leaves no connection", async () => {
    const seen: (string | undefined)[] = [];
    const server = createHttp(({ url = "", headers }, response) => {
      seen.push(`${headers.host ?? ""} ${url}`);
      response.writeHead(Number(url.slice(1)), { location: "/500" });
      // Longer than anything that would be read by the way.
      response.end("x".repeat(1_000_000));
    });
    const port = await listen(server);
    expect(await probe(`http://:${port}/200`)).toEqual(PASSED);
    expect(await probe(`http://www.example.net:${port}/302`)).toEqual(PASSED);
    expect(await probe(`http://:${port}/503`)).toEqual({ kind: "failed", why: "HTTP status 503" });
    expect(seen).toEqual([`127.0.0.1:${port} /200`, `www.example.net:${port} /302`, `127.0.0.1:${port} /503`]);
    await vi.waitFor(async () => {
      expect(await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(0);
    });
  });

  test("fails when refused, and when what answers is no HTTP", async () => {
    expect(await probe(`http://:${await closedPort()}/`)).toEqual({ kind: "failed", why: "connection refused" });
    const port = await listen(createTcp((socket) => socket.resume().end("220 mail.example.net ESMTP\r\n")));
    expect(await probe(`http://:${port}/`)).toMatchObject({ kind: "failed", why: expect.stringMatching(/HTTP/) });
  });

  test("fails without an answer in time", async () => {
    const port = await listen(createHttp(() => {}));
    const outcome = await probe(`http://:${port}/`, { timeout: 100 });
    expect(outcome).toEqual({ kind: "failed", why: "no answer in time", silent: true });
    (open.at(-1) as ReturnType<typeof createHttp>).closeAllConnections();
  });
});

describe("tcp", () => {
  test("passes when a connection stands, of either family", async () => {
    const ended = vi.fn<() => void>();
    const port = await listen(
      createTcp((socket) => socket.on("close", ended).resume()),
      "::1",
    );
    expect(await probe(`tcp://:${port}`, { address: "::1" })).toEqual(PASSED);
    await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce());
  });

  test("fails when refused", async () => {
    expect(await probe(`tcp://:${await closedPort()}`)).toEqual({ kind: "failed", why: "connection refused" });
  });

  test("what this server has no route to is unknown", async () => {
    // Limited broadcast: no TCP connection can be made to it (EACCES or ENETUNREACH).
    expect(await probe("tcp://:25", { address: "255.255.255.255" })).toMatchObject({ kind: "unknown" });
  });
});

describe("dns, against a real server", () => {
  test("passes with a record, over TCP when truncated, and fails with another RCODE, no record or no answer", async () => {
    const origin = Name.parse("example.net");
    const txt = Array.from({ length: 20 }, (_, i) => `big TXT "${String(i).padStart(200, "x")}"`).join("\n");
    const zones = new ZoneStore();
    zones.replace(
      Zone.build(
        origin,
        readZoneFile(`$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nwww A 192.0.2.1\nalias CNAME www\n${txt}\n`, {
          origin,
        }),
      ),
    );
    const server = new DnsServer(zones, { listen: [{ address: "127.0.0.1", port: 0 }] });
    const port = (await server.start())[0]?.port ?? 0;
    try {
      expect(await probe(`dns://:${port}/www.example.net`)).toEqual(PASSED);
      expect(await probe(`dns://:${port}/big.example.net?type=TXT`)).toEqual(PASSED);
      const nothing = { kind: "failed", why: "answered without a record of www.example.net. AAAA" };
      expect(await probe(`dns://:${port}/www.example.net?type=AAAA`)).toEqual(nothing);
      expect(await probe(`dns://:${port}/no.example.net`)).toEqual({ kind: "failed", why: "answered NXDOMAIN" });
      expect(await probe(`dns://:${port}/example.org`)).toEqual({ kind: "failed", why: "answered REFUSED" });
      expect(await probe(`dns://:${port}/alias.example.net`)).toEqual(PASSED);
      expect(await probe(`dns://:${port}/alias.example.net?type=AAAA`)).toMatchObject({ kind: "failed" });
    } finally {
      await server.stop();
    }
    expect(await probe(`dns://:${port}/www.example.net`)).toEqual({ kind: "failed", why: "connection refused" });
  });

  test("is unknown where no packet can be sent", async () => {
    // Without an interface, connect(2) refuses it on every machine.
    expect(await probe("dns:///example.net", { address: "fe80::1" })).toMatchObject({
      kind: "unknown",
      why: expect.stringMatching(/^this server cannot check it: /),
    });
  });

  test("fails when the server is silent", async () => {
    const mute = createSocket("udp4").bind(0, "127.0.0.1");
    await once(mute, "listening");
    const outcome = await probe(`dns://:${mute.address().port}/example.net`, { timeout: 100 });
    expect(outcome).toEqual({ kind: "failed", why: "no answer in time", silent: true });
    mute.close();
  });
});

describe("no answer", () => {
  const witness = "2001:db8:5::1";

  test("is a failure while the router on the way answers, and where it cannot be asked", async () => {
    const failed = { kind: "failed", why: "no answer in time", silent: true };
    for (const answers of [true, undefined]) {
      const server = createHttp(() => {});
      const port = await listen(server);
      expect(await probe(`http://:${port}/`, { timeout: 100, witness, answers })).toEqual(failed);
      server.closeAllConnections();
    }
  });

  test("is unknown while that does not answer either", async () => {
    const server = createHttp(() => {});
    const port = await listen(server);
    expect(await probe(`http://:${port}/`, { timeout: 100, witness, answers: false })).toEqual({
      kind: "unknown",
      why: "no way to its network: its router 2001:db8:5::1 does not answer either",
    });
    server.closeAllConnections();
  });

  test("is unknown when this server was too busy to see one in time", async () => {
    const server = createHttp(() => {});
    const port = await listen(server);
    const outcome = probe(`http://:${port}/`, { timeout: 100, witness });
    const until = performance.now() + 800;
    while (performance.now() < until);
    expect(await outcome).toEqual({ kind: "unknown", why: "this server is too busy to tell" });
    server.closeAllConnections();
  });

  test("is asked of the witness only then", async () => {
    const asked = vi.fn<Witness>();
    const instances = {} as Executor;
    expect(await probe(`tcp://:${await closedPort()}`, { witness, instances, asked })).toMatchObject({
      why: "connection refused",
    });
    expect(asked).not.toHaveBeenCalled();
  });
});

const site = { server: "lxd", call: "exec" };
const doing = (exec: () => unknown, state: () => unknown = () => ({})): Executor =>
  ({ exec: async () => await exec(), state: async () => await state() }) as Executor;
const raise = (error: Error) => (): never => {
  throw error;
};

describe("exec", () => {
  test("passes with status 0, fails with another and tells the last line", async () => {
    const instances = doing(() => ({ status: 0, stdout: "", stderr: "" }));
    expect(await probe("exec:true", { instances })).toEqual(PASSED);
    const failing = doing(() => ({ status: 2, stdout: "", stderr: "warning\nno server\n" }));
    expect(await probe("exec:true", { instances: failing })).toEqual({
      kind: "failed",
      why: "exit status 2: no server",
    });
  });

  test("what LXD cannot do is unknown", async () => {
    for (const error of [
      new UnreachableError(site, "connection refused"),
      new ServerError({ ...site, status: 500 }, "no"),
    ])
      expect(await probe("exec:true", { instances: doing(raise(error)) })).toMatchObject({ kind: "unknown" });
  });

  const late = (begun: boolean, by = 0): (() => never) =>
    raise(new ExecDeadlineError(site, 2_000, { begun, late: by }));

  test("a command that does not end has failed if LXD answers, and is unknown if not", async () => {
    expect(await probe("exec:true", { instances: doing(late(true)) })).toEqual({
      kind: "failed",
      why: "the command did not end within 2 s",
    });
    const silent = doing(late(true), raise(new DeadlineError(site, 1_000)));
    expect(await probe("exec:true", { instances: silent })).toMatchObject({ kind: "unknown" });
  });

  test("a command that LXD did not begin with tells nothing, even if LXD answers otherwise", async () => {
    expect(await probe("exec:true", { instances: doing(late(false)) })).toEqual({
      kind: "unknown",
      why: "LXD did not begin with the command in time",
    });
  });

  test("is unknown when this server was too busy to see the end in time", async () => {
    expect(await probe("exec:true", { instances: doing(late(true, 1_500)) })).toEqual({
      kind: "unknown",
      why: "this server is too busy to tell",
    });
  });

  test("what it printed is shown without what a terminal would obey", async () => {
    const stderr = `\u001b]0;owned\u0007\u001b[2J\u009b31mno \u202eserver\r\n`;
    expect(await probe("exec:true", { instances: doing(() => ({ status: 1, stdout: "", stderr })) })).toEqual({
      kind: "failed",
      why: "exit status 1:  ]0;owned [2J 31mno  server",
    });
  });
});

describe("whatever the other side does, a check ends in time", () => {
  const reply = async (answer: string): Promise<number> =>
    await listen(createTcp((socket) => socket.on("error", () => undefined).once("data", () => socket.end(answer))));

  test("an answer that would change the protocol is a failure", async () => {
    for (const header of ["Upgrade: h2c\r\nConnection: Upgrade\r\n", ""]) {
      const port = await reply(`HTTP/1.1 101 Switching Protocols\r\n${header}\r\n`);
      expect(await probe(`http://:${port}/`)).toMatchObject({ kind: "failed", why: expect.stringMatching(/101|HTTP/) });
    }
  });

  test("a connection that ends without an answer is a failure", async () => {
    expect(await probe(`http://:${await reply("")}/`)).toMatchObject({ kind: "failed" });
  });

  test("exec, too", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    const limits = vi.spyOn(AbortSignal, "timeout").mockImplementation((time) => {
      const limit = new AbortController();
      setTimeout(() => limit.abort(), time);
      return limit.signal;
    });
    try {
      const outcome = probe("exec:true", { instances: doing(async () => await new Promise(() => {})) });
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await outcome).toEqual({ kind: "unknown", why: "LXD does not answer" });
    } finally {
      limits.mockRestore();
      vi.useRealTimers();
    }
  });
});

test("a timeout that is no whole number of milliseconds is one all the same", async () => {
  expect(await probe(`tcp://:${await closedPort()}`, { timeout: 2009.9999999999998 })).toEqual({
    kind: "failed",
    why: "connection refused",
  });
});

test("what nothing but a bug of ours throws is thrown, and no failure of the instance", async () => {
  const port = await closedPort();
  const target = { kind: "http", secure: false, port, path: "/\u0100" } as const;
  const check: Check = { ...bare, text: "", target, address: Address.parse("127.0.0.1") };
  await expect(systemProbe({} as Executor)(check, never)).rejects.toThrow(TypeError);
});
