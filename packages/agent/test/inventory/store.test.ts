import { describe, expect, test } from "vitest";
import { Store } from "../../src/inventory/store.ts";
import { instance, ovn, snapshot } from "../announce/world.ts";

const MEMBERS = { server: "server-1", clustered: true, members: snapshot().members, trusted: [] };
const c1 = instance("c1", { network: "ovn-a" });
const c2 = instance("c2", { network: "ovn-a" });
const stopped = { ...c1, status: "Stopped", status_code: 102 };

function filled(): Store {
  const store = new Store();
  store.setMembership(MEMBERS, 1);
  store.setProjects([...snapshot().projects.values()], 1);
  store.setNetworks([ovn("ovn-a")], store.ticket(), 1);
  store.setZones([], 1);
  store.setInstances([c1, c2], store.ticket(), 1);
  store.commit(1);
  return store;
}

const names = (store: Store): string[] | undefined => store.commit(9) && [...(store.snapshot?.instances.keys() ?? [])];

describe("the first Snapshot", () => {
  test("is made only when every part was read", () => {
    const store = new Store();
    store.setMembership(MEMBERS, 1);
    store.setProjects([], 1);
    store.setNetworks([], store.ticket(), 1);
    store.setZones([], 1);
    expect(store.commit(1)).toBeUndefined();
    store.setError("instances", "no quorum");
    expect(store.commit(1)).toBeUndefined();
    store.setInstances([], store.ticket(), 2);
    expect(store.commit(2)).toMatchObject({ changed: true, snapshot: { server: "server-1", takenAt: 2 } });
  });
});

describe("a failed read", () => {
  test("changes nothing but the part's error, and its age shows", () => {
    const store = filled();
    const before = store.snapshot;
    store.setError("instances", "GET /1.0/instances: no answer");
    expect(store.commit(5)?.changed).toBe(false);
    expect(store.snapshot?.instances).toBe(before?.instances);
    expect(store.snapshot?.parts.instances).toEqual({ readAt: 1, error: "GET /1.0/instances: no answer" });
    expect(store.snapshot?.parts.networks).toEqual({ readAt: 1 });
  });

  test("LXD that cannot tell an instance's state leaves the status it had; of another server's it is believed", () => {
    const store = filled();
    const error = { status: "Error", status_code: 112 };
    store.setInstances(
      [
        { ...c1, ...error },
        { ...c2, ...error, location: "server-2" },
      ],
      store.ticket(),
      2,
    );
    store.commit(2);
    expect(store.snapshot?.instances.get("default/c1")?.status).toBe("Running");
    expect(store.snapshot?.instances.get("default/c2")?.status).toBe("Error");
  });
});

describe("an instance on a server that LXD cannot reach", () => {
  test("keeps what was known of it; its status is Error", () => {
    const store = filled();
    const bare = { config: {}, devices: {}, expanded_config: {}, expanded_devices: {}, profiles: [] };
    store.setInstances(
      [c1, { ...c2, ...bare, location: "server-2", status: "Error", status_code: 112 }],
      store.ticket(),
      2,
    );
    store.commit(2);
    expect(store.snapshot?.instances.get("default/c2")).toEqual({
      ...c2,
      location: "server-2",
      status: "Error",
      status_code: 112,
    });
  });
});

describe("identity", () => {
  test("reading the same again changes nothing", () => {
    const store = filled();
    const before = store.snapshot;
    store.setInstances(structuredClone([c2, c1]), store.ticket(), 2);
    store.setNetworks(structuredClone([ovn("ovn-a")]), store.ticket(), 2);
    store.setProjects(structuredClone([...snapshot().projects.values()]), 2);
    store.setMembership(structuredClone(MEMBERS), 2);
    expect(store.commit(2)?.changed).toBe(false);
    expect(store.snapshot?.instances).toBe(before?.instances);
    expect(store.snapshot?.networks).toBe(before?.networks);
    expect(store.snapshot?.parts.instances.readAt).toBe(2);
  });

  test("one changed instance leaves the others the same objects, and earlier Snapshots as they were", () => {
    const store = filled();
    const before = store.snapshot;
    store.setInstance("default/c1", stopped, store.ticket());
    expect(store.commit(2)?.changed).toBe(true);
    expect(store.snapshot?.instances.get("default/c1")).toBe(stopped);
    expect(store.snapshot?.instances.get("default/c2")).toBe(c2);
    expect(before?.instances.get("default/c1")).toBe(c1);
  });
});

describe("reads that overlap", () => {
  test("a listing does not undo a single read that began later", () => {
    const store = filled();
    const listing = store.ticket();
    store.setInstance("default/c1", stopped, store.ticket());
    store.setInstance("default/c2", undefined, store.ticket());
    store.setInstances([c1, c2], listing, 2);
    expect(names(store)).toEqual(["default/c1"]);
    expect(store.snapshot?.instances.get("default/c1")).toBe(stopped);
  });

  test("a listing that began later decides over what single reads found before", () => {
    const store = filled();
    store.setInstance("default/c1", stopped, store.ticket());
    store.setInstances([c1], store.ticket(), 2);
    expect(names(store)).toEqual(["default/c1"]);
    expect(store.snapshot?.instances.get("default/c1")?.status).toBe("Running");
  });

  test("an instance made while a listing was under way stays", () => {
    const store = filled();
    const listing = store.ticket();
    store.setInstance("default/c3", instance("c3", {}), store.ticket());
    store.setInstances([c1, c2], listing, 2);
    expect(names(store)).toEqual(["default/c1", "default/c2", "default/c3"]);
  });

  test("of two reads of one thing the one that began later decides, in whatever order they end", () => {
    const store = filled();
    const [early, late] = [store.ticket(), store.ticket()];
    store.setInstance("default/c1", stopped, late);
    store.setInstance("default/c1", c1, early);
    store.commit(2);
    expect(store.snapshot?.instances.get("default/c1")).toBe(stopped);
  });
});
