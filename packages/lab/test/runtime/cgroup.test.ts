import { expect, test } from "vitest";
import { groupIn } from "../../src/runtime/cgroup.ts";

test("on cgroup v2 a controller's group is the one of all, whatever systemd put below it", () => {
  const membership = "0::/trivet-lab/langara/lxc.payload.trivet-lab-langara/init.scope\n";
  const group = groupIn(membership, "freezer");
  expect(group?.version).toBe(2);
  expect(group?.path).toMatch(/^\/sys\/fs\/cgroup(\/unified)?\/trivet-lab\/langara\/lxc\.payload\.trivet-lab-langara$/);
});

test("on cgroup v1 each controller has its own", () => {
  const membership = `12:freezer:/trivet-lab/langara/lxc.payload.trivet-lab-langara
5:memory:/trivet-lab/langara/lxc.payload.trivet-lab-langara/init.scope
1:name=systemd:/trivet-lab/langara/lxc.payload.trivet-lab-langara/init.scope
0::/
`;
  for (const controller of ["freezer", "memory"])
    expect(groupIn(membership, controller)).toEqual({
      version: 1,
      path: `/sys/fs/cgroup/${controller}/trivet-lab/langara/lxc.payload.trivet-lab-langara`,
    });
  expect(groupIn(membership, "blkio")).toBeUndefined();
});
