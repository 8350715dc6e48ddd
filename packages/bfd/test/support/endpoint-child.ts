import { BfdEndpoint, type SessionOptions } from "../../src/index.ts";

/** An endpoint in a process of its own: told its sessions by messages, tells their states the same way. */
const endpoint = new BfdEndpoint();
endpoint.on("state", (status) => process.send?.(status));
await endpoint.start();
process.on("message", (sessions: readonly SessionOptions[]) => {
  endpoint.setSessions(sessions).catch((error: unknown) => process.send?.({ failure: String(error) }));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
