import { describe, expect, test } from "vitest";
import type { LifecycleEvent } from "@trivet/lxd";
import { affected, workKey } from "../../src/inventory/affected.ts";

function after(action: string, source: string, context?: Record<string, unknown>): string[] {
  const event: LifecycleEvent = {
    type: "lifecycle",
    timestamp: "2026-01-01T00:00:00Z",
    metadata: { action, source, context: context ?? null },
  };
  return affected(event).map(workKey);
}

describe("what an event makes the inventory read", () => {
  test.each([
    ["instance-started", "/1.0/instances/c1", ["instance default/c1"]],
    ["instance-updated", "/1.0/instances/c1?project=web", ["instance web/c1"]],
    ["instance-deleted", "/1.0/instances/c1?project=web", ["instance web/c1"]],
    ["network-updated", "/1.0/networks/n1?project=web", ["network web/n1"]],
    ["network-forward-created", "/1.0/networks/n1/forwards/192.0.2.1?project=web", ["network web/n1"]],
    ["network-load-balancer-updated", "/1.0/networks/n1/load-balancers/192.0.2.1", ["network default/n1"]],
    ["profile-updated", "/1.0/profiles/p1", ["part instances"]],
    ["profile-created", "/1.0/profiles/trivet-dns-1800000000", []],
    ["network-zone-record-updated", "/1.0/network-zones/example.net", ["part zones"]],
    ["project-created", "/1.0/projects/p1", ["part projects", "part networks", "part zones", "part instances"]],
    ["cluster-member-updated", "/1.0/cluster/members/server-2", ["part members", "part instances"]],
  ])("%s of %s: %j", (action, source, expected) => {
    expect(after(action, source)).toEqual(expected);
  });

  test.each([
    ["instance-exec", "/1.0/instances/c1"],
    ["instance-file-retrieved", "/1.0/instances/c1"],
    ["instance-snapshot-created", "/1.0/instances/c1/snapshots/s1"],
    ["image-created", "/1.0/images/0123"],
    ["storage-volume-created", "/1.0/storage-pools/p/volumes/custom/v"],
    ["operation-cancelled", "/1.0/operations/0123"],
  ])("%s: nothing", (action, source) => {
    expect(after(action, source)).toEqual([]);
  });

  test("a rename: the old name and the new", () => {
    expect(after("instance-renamed", "/1.0/instances/new", { old_name: "old" })).toEqual([
      "instance default/old",
      "instance default/new",
    ]);
  });
});
