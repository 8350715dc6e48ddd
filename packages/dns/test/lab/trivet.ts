import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "@trivet/lab";
import type { NotifyState, ServerOptions } from "../../src/index.ts";

const SERVE = fileURLToPath(new URL("serve.ts", import.meta.url));

/** Our server in a namespace; see serve.ts. */
export interface TrivetProcess {
  readonly child: ChildProcess;
  /** Every state of a notification so far. */
  readonly notifies: NotifyState[];
  /** Sends a command and waits for what it has to tell. */
  tell(command: object): Promise<Readonly<Record<string, unknown>>>;
  /** Waits for an event that has this property. */
  event(property: string): Promise<Readonly<Record<string, unknown>>>;
}

export async function startTrivet(
  namespace: Namespace,
  start: { readonly zones: Readonly<Record<string, string>>; readonly options: ServerOptions },
): Promise<TrivetProcess> {
  const child = namespace.spawn([process.execPath, SERVE, JSON.stringify(start)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const notifies: NotifyState[] = [];
  const waiting = new Set<{ property: string; resolve: (event: Record<string, unknown>) => void }>();
  const { stdout, stdin } = child;
  if (stdout === null || stdin === null) throw new TypeError("the server has no pipes");
  createInterface({ input: stdout }).on("line", (line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    if (event["notify"] !== undefined) notifies.push(event["notify"] as NotifyState);
    for (const waiter of waiting) {
      if (!(waiter.property in event)) continue;
      waiting.delete(waiter);
      waiter.resolve(event);
    }
  });
  const event = async (property: string): Promise<Record<string, unknown>> =>
    await new Promise((resolve) => {
      waiting.add({ property, resolve });
    });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`);
  });
  await Promise.race([event("listening"), ended]);
  ended.catch(() => undefined); // it ends with its namespace
  return {
    child,
    notifies,
    event,
    async tell(command) {
      const answer = event("serials");
      stdin.write(`${JSON.stringify(command)}\n`);
      return await answer;
    },
  };
}
