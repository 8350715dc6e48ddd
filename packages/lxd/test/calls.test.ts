import {
  AnswerError,
  BadRequestError,
  ConflictError,
  DeadlineError,
  ForbiddenError,
  LxdClient,
  type LxdError,
  NotFoundError,
  ServerError,
  UnreachableError,
} from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeServer, failure, reply, sync } from "./support/fake-server.ts";

let fake: FakeServer;
let client: LxdClient;

beforeEach(async () => {
  fake = await FakeServer.onSocket();
  client = new LxdClient({ socketPath: fake.socketPath }, { name: "server1", timeout: 5000 });
});

afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

async function failed(call: Promise<unknown>, kind: abstract new (...args: never[]) => LxdError): Promise<LxdError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  return error as LxdError;
}

describe("a deadline on every call", () => {
  test("a server that accepts and never answers", async () => {
    fake.handle = () => undefined;
    const start = performance.now();
    const error = await failed(client.server({ timeout: 100 }), DeadlineError);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(error).toMatchObject({ fault: "world", server: "server1", call: "GET /1.0", timeout: 100 });
    expect(error.message).toBe(
      "server1: GET /1.0: no answer within 100 ms; is the daemon overloaded, or the cluster's database without quorum?",
    );
  });

  test("an answer that begins and does not end", async () => {
    fake.handle = (_, response) => response.writeHead(200).write('{"type":"sync","metadata":');
    await failed(client.server({ timeout: 100 }), DeadlineError);
  });

  test("an answer that trickles for longer than the deadline", async () => {
    let trickle: NodeJS.Timeout | undefined;
    fake.handle = (_, response) => {
      response.writeHead(200);
      trickle = setInterval(() => response.write(" "), 10);
    };
    await failed(client.server({ timeout: 200 }), DeadlineError);
    clearInterval(trickle);
  });

  test("the caller's signal ends a call with the caller's reason", async () => {
    const stop = new AbortController();
    const reason = new Error("shutting down");
    fake.handle = () => stop.abort(reason);
    await expect(client.server({ signal: stop.signal })).rejects.toBe(reason);
    await expect(client.server({ signal: stop.signal })).rejects.toBe(reason);
    expect(fake.requests).toHaveLength(1);
  });

  test("calls that hang do not keep later ones from being answered", async () => {
    fake.handle = () => undefined;
    const hanging = Array.from(
      { length: 40 },
      async () => await failed(client.server({ timeout: 200 }), DeadlineError),
    );
    await Promise.all(hanging);
    fake.handle = (_, response) => reply(response, 200, sync({ auth: "trusted" }));
    await expect(client.server()).resolves.toMatchObject({ auth: "trusted" });
  });
});

describe("a daemon that is not there", () => {
  test("no socket", async () => {
    await fake.stop();
    const error = await failed(client.server(), UnreachableError);
    expect(error.message).toBe("server1: GET /1.0: there is no such socket; is the daemon running?");
    expect(error.fault).toBe("world");
  });

  test("a connection closed instead of an answer, and in the middle of one", async () => {
    fake.handle = (request) => request.socket.destroy();
    await failed(client.server(), UnreachableError);
    fake.handle = (request, response) => {
      response.writeHead(200, { "content-length": "1000" }).write("{", () => request.socket.destroy());
    };
    await failed(client.server(), UnreachableError);
  });

  test("the next call works once it is back", async () => {
    await client.server();
    await fake.stop();
    await failed(client.server(), UnreachableError);
    await fake.listen();
    await expect(client.server()).resolves.toEqual({});
  });
});

describe("answers that are refusals", () => {
  test.each([
    [400, BadRequestError, "input"],
    [401, ForbiddenError, "input"],
    [403, ForbiddenError, "input"],
    [404, NotFoundError, "input"],
    [409, ConflictError, "world"],
    [412, ConflictError, "world"],
    [500, ServerError, "world"],
    [503, ServerError, "world"],
  ] as const)("status %i", async (status, kind, fault) => {
    fake.handle = (_, response) => reply(response, status, failure(status, "the daemon's reason"));
    const error = await failed(client.networks.get("a/b", { project: "p" }), kind);
    expect(error).toMatchObject({ status, fault, server: "server1", call: "GET /1.0/networks/a%2Fb?project=p" });
    expect(error.message).toContain("the daemon's reason");
  });

  test("a proxy's error page is quoted, in short", async () => {
    fake.handle = (_, response) => reply(response, 502, `<html>bad gateway${" ".repeat(1000)}</html>`);
    const { message } = await failed(client.server(), ServerError);
    expect(message).toContain("<html>bad gateway");
    expect(message.length).toBeLessThan(300);
  });

  test.each(["", "{", "<html>", "null", "[]", '{"type":"sink"}', '{"type":"sync","metadata":{}'])(
    "status 200 with %j is no answer of LXD",
    async (body) => {
      fake.handle = (_, response) => reply(response, 200, body);
      const error = await failed(client.server(), AnswerError);
      expect(error.fault).toBe("world");
    },
  );
});

describe("listings", () => {
  test("5,000 instances in one answer, without pages", async () => {
    const one = { name: "c", expanded_config: { "user.text": "x".repeat(2000) } };
    fake.handle = (_, response) => reply(response, 200, sync(Array.from({ length: 5000 }, () => one)));
    expect(await client.instances.list()).toHaveLength(5000);
    expect(fake.requests).toEqual(["GET /1.0/instances?recursion=1"]);
  });

  test("a daemon that lists all projects is asked once", async () => {
    fake.handle = (request, response) =>
      reply(
        response,
        200,
        request.url === "/1.0" ? sync({ api_extensions: ["networks_all_projects"] }) : sync([{ name: "n" }]),
      );
    expect(await client.networks.list({ allProjects: true })).toEqual([{ name: "n" }]);
    expect(fake.requests).toEqual(["GET /1.0", "GET /1.0/networks?recursion=1&all-projects=true"]);
  });

  test("of one that does not, each project with networks of its own is asked", async () => {
    const projects = [
      { name: "default", config: {} },
      { name: "own", config: { "features.networks": "true" } },
      { name: "shared", config: { "features.networks": "false" } },
    ];
    fake.handle = (request, response) => {
      const url = request.url ?? "";
      if (url === "/1.0") reply(response, 200, sync({ api_extensions: [] }));
      else if (url.startsWith("/1.0/projects")) reply(response, 200, sync(projects));
      else reply(response, 200, sync([{ name: `net-${new URL(url, "http://x").searchParams.get("project")}` }]));
    };
    expect(await client.networks.list({ allProjects: true })).toEqual([
      { name: "net-default", project: "default" },
      { name: "net-own", project: "own" },
    ]);
  });

  test("of what the daemon does not know there is none, and none can be made", async () => {
    fake.handle = (_, response) => reply(response, 200, sync({ api_extensions: [] }));
    const balancers = client.networks.loadBalancers("n");
    expect(await balancers.list()).toEqual([]);
    await expect(balancers.create({ listen_address: "192.0.2.1" })).rejects.toThrow(
      "server1: /1.0/networks/n/load-balancers: the daemon lacks the API extension network_load_balancer; a newer LXD or Incus has it",
    );
  });

  test("extensions are asked once, and again after the daemon was away", async () => {
    const extensions = ["a"];
    fake.handle = (_, response) => reply(response, 200, sync({ api_extensions: extensions }));
    expect([await client.supports("a"), await client.supports("b")]).toEqual([true, false]);
    await fake.stop();
    await failed(client.cluster(), UnreachableError);
    extensions.push("b");
    await fake.listen();
    expect(await client.supports("b")).toBe(true);
    expect(fake.requests).toEqual(["GET /1.0", "GET /1.0"]);
  });
});

test("closing the client ends its calls", async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  fake.handle = () => resolve();
  const call = failed(client.server(), UnreachableError);
  await arrived;
  await client.close();
  await call;
});
