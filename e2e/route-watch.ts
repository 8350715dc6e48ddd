import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Lab } from "@trivet/lab";

export interface RouteWatch {
  /** Ends the watch. @returns what the kernels of the routers said of the prefixes that they no longer had, for however short a time */
  readonly stop: () => Promise<string[]>;
}

/** Listens to what the kernel of every router says of its routes: what is gone between two looks at a table is heard, too. */
export async function watchRoutes(lab: Lab, prefixes: readonly string[]): Promise<RouteWatch> {
  const watched = new Set(prefixes.map((prefix) => prefix.replace(/\/(32|128)$/, "")));
  const gone: string[] = [];
  const monitors = await Promise.all(
    lab.servers.map(async (server) => {
      const router = server.plan.router.name;
      const state = JSON.parse(await server.sh(`lxc query /1.0/instances/${router}/state`)) as { pid: number };
      const [program, ...args] = server.argv([
        "nsenter",
        "-t",
        String(state.pid),
        "-n",
        "ip",
        "-ts",
        "-o",
        "monitor",
        "route",
      ]);
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
      createInterface({ input: child.stdout }).on("line", (line) => {
        const prefix = /\] Deleted (\S+) /.exec(line)?.[1];
        if (prefix !== undefined && watched.has(prefix)) gone.push(`${router} ${line}`);
      });
      await once(child, "spawn");
      return child;
    }),
  );
  return {
    stop: async () => {
      const alive = monitors.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      await Promise.all(
        alive.map(async (child) => {
          child.kill();
          await once(child, "close");
        }),
      );
      // A monitor that ended before heard nothing.
      return alive.length === monitors.length ? gone : [...gone, "a monitor ended early"];
    },
  };
}
