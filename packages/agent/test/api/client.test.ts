import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Undici from "undici";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AgentClient } from "../../src/api/client.ts";

vi.mock("undici", async (original) => {
  const undici = await original<typeof Undici>();
  return { ...undici, request: vi.fn(undici.request) };
});

describe("the client of the agent's API", () => {
  const folder = mkdtempSync(join(tmpdir(), "trivet-client-"));
  const socket = join(folder, "agent.sock");
  const server: Server = createServer((asked, answer) => {
    if (asked.method === "PUT") answer.end("{}");
    else answer.writeHead(502).end();
  });

  beforeAll(async () => {
    server.listen(socket);
    await once(server, "listening");
  });
  afterAll(async () => {
    server.close();
    await once(server, "close");
    rmSync(folder, { recursive: true });
  });

  test("names the status of an error without words", async () => {
    await using client = new AgentClient(socket);
    await expect(client.get("/v1/status")).rejects.toThrow(/^the agent at .* answered: HTTP status 502$/);
  });

  test("waits longer for an order than LXD takes to store it", async () => {
    await using client = new AgentClient(socket);
    await client.change("PUT", "/v1/drain");
    expect(vi.mocked(request).mock.lastCall?.[1]).toMatchObject({ method: "PUT", headersTimeout: 60_000 });
  });
});
