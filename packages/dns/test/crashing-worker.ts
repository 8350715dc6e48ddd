/** A worker that dies when a certain zone goes: see server.test.ts. */
import { parentPort } from "node:worker_threads";
import "../src/worker/main.ts";
import type { ToWorker } from "../src/worker/protocol.ts";

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "removed" && message.origin === "crash.") throw new RangeError("crashed");
});
