/** What runs in a worker thread: an engine with zones of its own, fed by the server's thread. */
import { parentPort, workerData } from "node:worker_threads";
import { Counters } from "../query/counters.ts";
import { Engine } from "../socket/engine.ts";
import { ZoneStore } from "../zone/store.ts";
import { type FromWorker, type ToWorker, type WorkerStart, applyChange } from "./protocol.ts";

const { options, role, counters } = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new TypeError("worker/main.ts runs in a worker thread only");
const tell = (message: FromWorker): void => port.postMessage(message);

// Query threads answer no transfers and need no history.
const store = new ZoneStore(role.tcp ? {} : { journalRecords: 0 });
const engine = new Engine(options, store, role, {
  counters: new Counters(counters),
  onNotify: (state) => tell({ kind: "notify", state }),
  onFault: (error) => tell({ kind: "fault", error }),
});

port.on("message", (message: ToWorker) => {
  if (message.kind === "listen") {
    engine.start().then(
      (listen) => tell({ kind: "listening", listen }),
      (error: unknown) => tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  } else if (message.kind === "stop") {
    engine.stop().then(
      () => port.close(),
      (error: unknown) => {
        throw error;
      },
    );
  } else applyChange(store, message);
});
