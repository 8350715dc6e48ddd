import { readFileSync } from "node:fs";
import { LxdClient, type LifecycleEvent } from "@trivet/lxd";
import { describe, expect, test, vi } from "vitest";
import { type Scene, type SceneInstance, SimulatedCluster, referenceScene } from "../../src/sim/index.ts";
import { type Answer, ask } from "./ask.ts";

/** Recorded by `fixtures/capture` from Debian 12's LXD 5.0.2 with OVN. */
const recorded = JSON.parse(readFileSync(new URL("fixtures/lxd-5.0.2.json", import.meta.url), "utf8")) as Record<
  "one" | "two",
  { calls: RecordedCall[]; events: LifecycleEvent[] }
>;

interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly status: number;
  readonly answer: Answer["body"];
}

const base: Scene = {
  ...referenceScene(),
  projects: [
    { name: "default", description: "Default LXD project" },
    { name: "web", description: "" },
  ],
  networks: [],
  instances: [],
};
const instance = { project: "web", type: "container", server: "langara", network: "net-web", routes: [] } as const;

/** The clusters that were recorded. */
const scenes: Record<"one" | "two", Scene> = {
  one: {
    ...base,
    servers: ["langara"],
    networks: [
      {
        name: "net-web",
        project: "web",
        gateway4: "10.100.1.1/24",
        gateway6: "2001:db8:0:1001::1/64",
        router4: "198.51.100.100",
        router6: "2001:db8:0:100::100",
        chassis: "langara",
        forwards: ["203.0.113.24"],
        zone: "example.net",
      },
    ],
    instances: [
      { ...instance, name: "ns1", running: true, routes: ["203.0.113.1/32", "2001:db8:0:53::1/128"], evacuate: "stop" },
      { ...instance, name: "idle", running: false, evacuate: "stop" },
    ],
    zones: [
      {
        name: "example.net",
        project: "web",
        config: { "dns.nameservers": "ns1.example.net" },
        records: [{ name: "www", entries: [{ type: "AAAA", value: "2001:db8:0:1001::80" }] }],
      },
    ],
  },
  two: {
    ...base,
    servers: ["langara", "abydos"],
    instances: [withoutNetwork({ ...instance, name: "c1", running: true })],
  },
};

describe.each(["one", "two"] as const)("answers as LXD 5.0.2 did, cluster %s", (name) => {
  test("status, error, keys and types of every answer, and the lifecycle events", async () => {
    await using cluster = await SimulatedCluster.start({ scene: scenes[name] });
    const seen = await watch(cluster.socket("langara"));
    let operation = "";
    for (const call of recorded[name].calls) {
      // Where the recording killed the second server.
      if (name === "two" && call.path.startsWith("/1.0/cluster/members?")) await cluster.killServer("abydos");
      const path = call.path.replace("OPERATION", operation);
      const answer = await ask(cluster.socket("langara"), call.method, path, call.body);
      const what = `${call.method} ${call.path} ${JSON.stringify(call.body)}`;
      expect([answer.status, answer.body.error], what).toEqual([call.status, call.answer.error]);
      expect(shapeOf(answer.body), what).toEqual(shapeOf(forComparison(call.answer)));
      operation = answer.body.operation === "" ? operation : answer.body.operation;
    }
    const events = recorded[name].events.map(essence);
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(events.length));
    expect(seen.map(essence)).toEqual(events);
  });
});

test("operations that LXD refuses later fail with the same words", async () => {
  await using cluster = await SimulatedCluster.start({ scene: scenes.one });
  const again = recorded.one.calls.filter(({ answer }) => (answer.metadata as { err?: string } | null)?.err);
  expect(again.map(({ answer }) => (answer.metadata as { err: string }).err)).toEqual([
    "The instance is already running",
  ]);
  const { body } = await ask(cluster.socket("langara"), "PUT", "/1.0/instances/ns1/state?project=web", {
    action: "start",
  });
  const ended = await ask(cluster.socket("langara"), "GET", `${body.operation}/wait`);
  expect(ended.body.metadata).toMatchObject({
    status: "Failure",
    status_code: 400,
    err: "The instance is already running",
  });
});

async function watch(socket: string): Promise<LifecycleEvent[]> {
  const seen: LifecycleEvent[] = [];
  const client = new LxdClient({ socketPath: socket });
  const stream = client.events({ types: ["lifecycle"], allProjects: true });
  await stream.next(); // connected
  void (async () => {
    for await (const item of stream) {
      if (item.type === "down") break;
      if (item.type === "lifecycle") seen.push(item);
    }
    await client.close();
  })();
  return seen;
}

function essence({ metadata, location, project }: LifecycleEvent) {
  const { action, source, context } = metadata;
  const plain = (text: string): string => text.replace(/lxd-move-of-[0-9a-f-]+/, "lxd-move-of-UUID");
  const keys = Object.keys(context ?? {});
  return { action, source: plain(source), context: keys, location, project, requestor: "requestor" in metadata };
}

/** Maps with keys that are data. */
const OPEN = new Set([
  "config",
  "expanded_config",
  "devices",
  "expanded_devices",
  "kernel_features",
  "lxc_features",
  "resources",
]);

/** What an answer is made of: keys and types, without its data. An array is described by all different elements it has. */
function shapeOf(value: unknown, key = ""): unknown {
  if (value === null) return "null";
  if (Array.isArray(value)) {
    const elements = new Map(value.map((element) => [JSON.stringify(shapeOf(element)), shapeOf(element)]));
    return [...elements.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, shape]) => shape);
  }
  if (typeof value !== "object") return typeof value;
  if (OPEN.has(key)) return "map";
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, shapeOf(member, name)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What the simulator leaves out on purpose: an operation's progress while it runs. */
function forComparison(answer: Answer["body"]): Answer["body"] {
  const { metadata } = answer;
  if (metadata === null || typeof metadata !== "object" || !("may_cancel" in metadata)) return answer;
  return { ...answer, metadata: { ...metadata, metadata: null } };
}

function withoutNetwork({ network, ...rest }: SceneInstance): SceneInstance {
  void network;
  return { ...rest, project: "default" };
}
