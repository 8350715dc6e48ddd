import { LabError } from "../runtime/lab-error.ts";
import { missingRequirements } from "./requirements.ts";

const PROGRAMS = [
  "ip",
  "nsenter",
  "flock",
  "lxc-start",
  "mmdebstrap",
  "ethtool",
  "vtysh",
  "bgpd",
  "ssh-keygen",
  "openssl",
  "curl",
];

/** @throws LabError when this machine lacks something a lab needs */
export function requireLab(): void {
  const missing = missingRequirements({ programs: PROGRAMS });
  if (missing.length > 0) throw new LabError("no lab on this machine", missing.join("; "));
}
