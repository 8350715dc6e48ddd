/** The daemon on each server: inventory, announce, API. */
export { AgentClient, AgentUnavailableError, DEFAULT_SOCKET } from "./api/client.ts";
export type { StatusAnswer } from "./api/types.ts";
