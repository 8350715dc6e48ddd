import type { Cluster } from "@trivet/spec";
import { control } from "./control.ts";
import type { AuditFinding } from "./finding.ts";
import { hardware } from "./hardware.ts";
import { network } from "./network.ts";
import { storage } from "./storage.ts";

/** What will hurt, each with its reason and remedy. */
export function audit(cluster: Cluster): AuditFinding[] {
  const found: AuditFinding[] = [];
  for (const look of [hardware, network, storage, control])
    look(cluster, (code, path, message, remedy, severity = "warning") => {
      found.push({ code, severity, message, remedy, path });
    });
  return found;
}
