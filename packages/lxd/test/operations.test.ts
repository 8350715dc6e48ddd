import {
  BadRequestError,
  DeadlineError,
  LxdClient,
  NotFoundError,
  OperationError,
  type Progress,
  progressOf,
} from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeServer, failure, operation, reply, sync } from "./support/fake-server.ts";

let fake: FakeServer;
let client: LxdClient;

beforeEach(async () => {
  fake = await FakeServer.onSocket();
  client = new LxdClient({ socketPath: fake.socketPath }, { name: "server1" });
});

afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

/** Answers the change with operation `op1`, and each wait for it with the next of these. */
function operationThat(...waits: (object | "drop" | 404)[]): void {
  const answers = [...waits];
  fake.handle = (request, response) => {
    if (request.method !== "GET") return reply(response, 202, operation("op1", {}));
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === "drop") return void request.socket.destroy();
    if (answer === 404) return reply(response, 404, failure(404, "not found"));
    return reply(
      response,
      200,
      sync({ id: "op1", status: "Running", status_code: 103, err: "", metadata: null, ...answer }),
    );
  };
}

const SUCCESS = { status: "Success", status_code: 200 };

describe("a change", () => {
  test("answered at once is an operation that has succeeded", async () => {
    fake.handle = (_, response) => reply(response, 200, sync({ answer: 1 }));
    const done = await client.put("/1.0/networks/n", { config: {} });
    expect(done.id).toBe("");
    expect(await done.wait()).toMatchObject({ status_code: 200, metadata: { answer: 1 } });
    await done.cancel();
    expect(fake.requests).toEqual(["PUT /1.0/networks/n"]);
  });

  test("answered with an operation is waited for", async () => {
    operationThat({}, {}, SUCCESS);
    await client.networks.replace("n", { config: { a: "b" } }, { project: "p" });
    expect(fake.requests).toEqual([
      "PUT /1.0/networks/n?project=p",
      ...Array<string>(3).fill("GET /1.0/operations/op1/wait?timeout=20"),
    ]);
  });

  test("carries the ETag it was based on", async () => {
    let header: string | undefined;
    fake.handle = (request, response) => {
      header = request.headers["if-match"];
      if (request.method === "GET") reply(response, 200, sync({ name: "n" }), { ETag: "abc" });
      else reply(response, 412, failure(412, "ETag doesn't match"));
    };
    const { etag } = await client.networks.read("n");
    expect(etag).toBe("abc");
    await expect(client.networks.replace("n", {}, { etag: "abc" })).rejects.toMatchObject({
      name: "ConflictError",
      status: 412,
    });
    expect(header).toBe("abc");
  });
});

describe("an operation", () => {
  test("that fails says why, and what started it", async () => {
    operationThat({ status: "Failure", status_code: 400, err: "no space left" });
    const error = await client.instances.create({ name: "c1" }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({ outcome: "failure", fault: "world", call: "POST /1.0/instances" });
    expect((error as Error).message).toBe("server1: POST /1.0/instances: no space left; the daemon's log says more");
  });

  test("that was cancelled", async () => {
    operationThat({ status: "Cancelled", status_code: 401, err: "" });
    await expect(client.instances.create({ name: "c1" })).rejects.toMatchObject({ outcome: "cancelled" });
  });

  test("whose daemon restarts and still knows it", async () => {
    operationThat("drop", "drop", SUCCESS);
    await client.instances.create({ name: "c1" });
  });

  test("whose daemon restarts and has forgotten it", async () => {
    operationThat("drop", 404);
    await expect(client.instances.create({ name: "c1" })).rejects.toMatchObject({
      name: "OperationError",
      outcome: "lost",
    });
  });

  test("is waited for no longer than told, whatever the daemon does", async () => {
    for (const answer of [{}, "drop"] as const) {
      operationThat(answer);
      const waiting = client.instances.create({ name: "c1" }, { timeout: 100 });
      await expect(waiting).rejects.toBeInstanceOf(DeadlineError);
    }
    fake.handle = (request, response) => {
      if (request.method === "POST") reply(response, 202, operation("op1", {}));
    };
    const error = await client.instances.create({ name: "c1" }, { timeout: 100 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeadlineError);
    expect((error as DeadlineError).call).toBe("POST /1.0/instances");
  });

  test("is cancelled by DELETE, which the daemon may refuse", async () => {
    operationThat({});
    const begun = await client.post("/1.0/instances", {});
    fake.handle = (_, response) => reply(response, 200, sync({}));
    await begun.cancel();
    expect(fake.requests.at(-1)).toBe("DELETE /1.0/operations/op1");
    fake.handle = (_, response) => reply(response, 400, failure(400, "This operation can't be cancelled"));
    await expect(begun.cancel()).rejects.toBeInstanceOf(BadRequestError);
  });

  test("belongs to its project", async () => {
    fake.handle = (request, response) => {
      if (request.method === "POST") {
        reply(response, 202, { ...operation("op1", {}), operation: "/1.0/operations/op1?project=p" });
      } else reply(response, 404, failure(404, "not found"));
    };
    const begun = await client.post("/1.0/instances", {}, { project: "p" });
    await expect(begun.state()).rejects.toBeInstanceOf(NotFoundError);
    expect(fake.requests.at(-1)).toBe("GET /1.0/operations/op1?project=p");
  });

  test("tells its progress from the operation's events", async () => {
    const told: Progress[] = [];
    const { promise: toldAll, resolve: finish } = Promise.withResolvers<void>();
    fake.handle = (request, response) => {
      if (request.method === "POST") reply(response, 202, operation("op1", {}));
      else void toldAll.then(() => reply(response, 200, sync({ id: "op1", ...SUCCESS })));
    };
    fake.onWebSocket = (peer) => {
      for (const [id, percent] of [
        ["op2", 99],
        ["op1", 10],
        ["op1", 60],
      ]) {
        const metadata = { id, metadata: { download_progress: `rootfs: ${percent}% (1.00MB/s)` } };
        peer.send(JSON.stringify({ type: "operation", timestamp: "", metadata }));
      }
    };
    await client.instances.create(
      { name: "c1" },
      {
        onProgress: (progress) => {
          told.push(progress);
          if (told.length === 2) finish();
        },
      },
    );
    expect(told.map(({ stage, percent }) => [stage, percent])).toEqual([
      ["download_progress", 10],
      ["download_progress", 60],
    ]);
    expect(fake.requests).toContain("WS /1.0/events?type=operation");
  });
});

test("progress is found in an operation's metadata", () => {
  expect(progressOf({ metadata: null })).toEqual([]);
  expect(progressOf({ metadata: { return: 0, fs_progress: "c1: 3.2GB (20MB/s)", x_progress: 5 } })).toEqual([
    { stage: "fs_progress", text: "c1: 3.2GB (20MB/s)" },
  ]);
});
