import { execFile } from "node:child_process";

/** Whether a router answers an echo request; undefined when none can be sent. */
export type Witness = (address: string) => Promise<boolean | undefined>;

/** Seconds for the answer. */
const PATIENCE = 1;
/** Milliseconds after which `ping` is ended, however busy this server is. */
const END = 3_000;
/** Milliseconds for which an answer is good: many checks may ask at once. */
const GOOD_FOR = 500;
/** ping(8): without an answer. Other failures say nothing of the router. */
const NO_ANSWER = 1;

/** Asks by the system's `ping`: echo requests need rights or a system setting that the agent should not depend on. */
export function pingWitness(): Witness {
  const known = new Map<string, Promise<boolean | undefined>>();
  return async (address) => {
    let answer = known.get(address);
    if (answer === undefined) {
      known.set(address, (answer = ping(address)));
      void answer.then(() => setTimeout(() => known.delete(address), GOOD_FOR).unref());
    }
    return await answer;
  };
}

async function ping(address: string): Promise<boolean | undefined> {
  return await new Promise((resolve) => {
    const options = { timeout: END, killSignal: "SIGKILL" } as const;
    execFile("ping", ["-n", "-q", "-c", "1", "-W", String(PATIENCE), address], options, (error) => {
      if (error === null) resolve(true);
      else resolve(error.killed === true || error.code === NO_ANSWER ? false : undefined);
    });
  });
}
