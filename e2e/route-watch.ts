import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Lab } from "@trivet/lab";

export interface RouteWatch {
  /** Ends the watch. @returns what each router's kernel did not have for longer than a replacement takes, in words */
  readonly stop: () => Promise<string[]>;
}

/**
 * FRR replaces an IPv6 route by deleting and adding it in one go. Milliseconds within which that is no gap: the kernel's words are not
 * always heard at once. What a router has to learn anew takes longer.
 */
const REPLACEMENT = 200;

/** Listens to what the kernel of every router says of its routes: what is gone between two looks at a table is heard, too. */
export async function watchRoutes(lab: Lab, prefixes: readonly string[]): Promise<RouteWatch> {
  const watched = new Set(prefixes.map((prefix) => prefix.replace(/\/(32|128)$/, "")));
  const gaps: string[] = [];
  /** When what is not there was last there, by router and prefix. */
  const gone = new Map<string, number>();

  function heard(router: string, line: string): void {
    const [, time = "", deleted, prefix = ""] = /^\[(\S+)\] (Deleted )?(\S+) /.exec(line) ?? [];
    if (!watched.has(prefix)) return;
    const route = `${prefix} on ${router}`;
    const now = Date.parse(`${time.slice(0, 23)}Z`);
    if (deleted !== undefined) {
      if (!gone.has(route)) gone.set(route, now);
      return;
    }
    const gap = now - (gone.get(route) ?? now);
    gone.delete(route);
    if (gap > REPLACEMENT) gaps.push(`${route}: ${gap} ms`);
  }

  const monitors = await Promise.all(
    lab.servers.map(async (server) => {
      const router = server.plan.router.name;
      const state = JSON.parse(await server.sh(`lxc query /1.0/instances/${router}/state`)) as { pid: number };
      // It ends with its standard input, also when this process is killed.
      const monitor = `nsenter -t ${state.pid} -n ip -ts -o monitor route & cat >/dev/null; kill $!`;
      const [program, ...args] = server.argv(["sh", "-c", monitor]);
      const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
      createInterface({ input: child.stdout }).on("line", (line) => {
        heard(router, line);
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
          child.stdin.end();
          await once(child, "close");
        }),
      );
      const missing = [...gone.keys()].map((route) => `${route}: gone for good`);
      // A monitor that ended before heard nothing.
      return [...gaps, ...missing, ...(alive.length === monitors.length ? [] : ["a monitor ended early"])];
    },
  };
}
