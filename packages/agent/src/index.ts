/** The daemon on each server: inventory, announce, API. */
export type { RefusedView, RouteView } from "./announce/explain.ts";
export { AgentClient, AgentUnavailableError, DEFAULT_SOCKET } from "./api/client.ts";
export type {
  DrainOrderAnswer,
  DrainsAnswer,
  ExplainAnswer,
  HealthAnswer,
  RoutesAnswer,
  ServerExplanation,
  SessionAnswer,
  StatusAnswer,
} from "./api/types.ts";
export type { DrainView } from "./drain/drains.ts";
export type { CheckView } from "./health/view.ts";
export { ConfigError, loadConfig as checkConfig } from "./config/load.ts";
export type { DnsStatus, RecordView, ZoneView } from "./resolve/service.ts";
export { type TransferQuestion, transferZone } from "./resolve/transfer.ts";
export { type RunAgentOptions, runAgent } from "./daemon/run.ts";
