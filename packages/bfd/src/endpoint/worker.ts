import { parentPort } from "node:worker_threads";
import { runFirst } from "@trivet/sockopt";
import { Engine } from "../engine.ts";
import { BfdSocketError } from "../error.ts";
import { systemClock } from "./clock.ts";
import type { Report, Request } from "./messages.ts";
import { Sockets } from "./sockets.ts";

/** The worker thread: an engine on real sockets and timers, so that sessions do not flap while the main thread is busy. */
const port = parentPort;
if (port === null) throw new TypeError("the BFD worker runs in a worker thread only");
const report = (message: Report): void => port.postMessage(message);

let received = 0;
const sockets = new Sockets(
  (payload, peer, local, multihop) => {
    received++;
    engine.receive(payload, peer, local, multihop);
  },
  (error) => report({ kind: "socket-error", message: error.message }),
);
const engine: Engine = new Engine(
  systemClock(() => received),
  (spec) => sockets.open(spec),
  (status, from) => report({ kind: "state", status, from }),
);

port.on("message", (request: Request) => {
  try {
    if (request.kind === "set") engine.setSessions(request.specs);
    if (request.kind === "close") engine.close();
    report({ kind: "done", id: request.id, statuses: engine.statuses(), discards: engine.discards });
  } catch (error) {
    if (!(error instanceof BfdSocketError)) throw error;
    report({ kind: "failed", id: request.id, failures: error.failures });
  }
  // After the last packets have left (see Sockets.open), nothing keeps this thread alive.
  if (request.kind === "close") port.close();
});
report({ kind: "started", ordinary: runFirst() });
