import { type LifecycleEvent, eventSubject } from "@trivet/lxd";
import { type Part, keyOf } from "./snapshot.ts";

/** What must be read again. */
export type Work =
  | { readonly kind: "part"; readonly part: Part }
  | { readonly kind: "instance" | "network"; readonly project: string; readonly name: string };

/** A name for a piece of work, equal for equal work. */
export function workKey(work: Work): string {
  return work.kind === "part" ? `part ${work.part}` : `${work.kind} ${keyOf(work)}`;
}

/** Happens to an instance all the time and changes nothing of it. */
const IDLE = /^instance-(exec|console|file|log|backup|snapshot|metadata)/;

/** What a lifecycle event makes necessary to read: nothing, one thing, or a whole part. */
export function affected(event: LifecycleEvent): Work[] {
  const { action, context } = event.metadata;
  const { kind, name, project, rest } = eventSubject(event);
  // The configuration that all servers share, where orders to drain stand.
  if (action === "config-updated") return [part("members")];
  const old = context?.["old_name"];
  const names = typeof old === "string" && old !== "" ? [old, name] : [name];
  switch (kind) {
    case "instances":
      if (rest.length > 0 || IDLE.test(action)) return [];
      return names.map((one) => ({ kind: "instance", project, name: one }));
    case "networks":
      return names.map((one) => ({ kind: "network", project, name: one }));
    case "profiles":
      // trivet's own are notes in LXD's database, which no instance uses.
      return name.startsWith("trivet-") ? [] : [part("instances")];
    case "projects":
      return [part("projects"), part("networks"), part("zones"), part("instances")];
    case "network-zones":
      return [part("zones")];
    case "certificates":
      return [part("members")];
    case "cluster/members":
      return [part("members"), part("instances")];
    default:
      return [];
  }
}

function part(name: Part): Work {
  return { kind: "part", part: name };
}
