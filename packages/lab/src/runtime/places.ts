import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { checkLabName } from "./lab-error.ts";

const LABS = "/var/lib/trivet/lab";

/**
 * Where the parts of a lab are. All names derive from the lab's name, and its folder exists before its first part: what is to be
 * removed is known even if `up` was killed at any point.
 */
export class Places {
  readonly lab: string;

  /** @throws LabError on a name that a lab cannot have: files and processes are removed by it */
  constructor(lab: string) {
    checkLabName(lab);
    this.lab = lab;
  }

  /** Everything the lab keeps on disk. */
  get folder(): string {
    return join(LABS, this.lab);
  }

  /** Sockets and process ids of what runs in the namespaces. */
  get runtime(): string {
    return join("/run/trivet", this.lab);
  }

  get stateFile(): string {
    return join(this.folder, "state.json");
  }

  get logs(): string {
    return join(this.folder, "logs");
  }

  /** LXC's own folder of containers; the machine's /var/lib/lxc is not used. */
  get containers(): string {
    return join(this.folder, "servers");
  }

  /** Control groups of the servers, relative to each hierarchy's root. */
  get cgroup(): string {
    return `trivet-${this.lab}`;
  }

  container(server: string): string {
    return `trivet-${this.lab}-${server}`;
  }

  /** @param part `fabric`, `client` or a provider */
  namespace(part: string): string {
    return `trivet-${this.lab}-${part}`;
  }

  static labs(): string[] {
    return existsSync(LABS) ? readdirSync(LABS).toSorted() : [];
  }
}
