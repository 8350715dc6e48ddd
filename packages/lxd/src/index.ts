/** A client for the LXD and Incus REST API: typed resources, operations, events; a deadline on every call. See README.md. */
export { Api, type ApiOptions } from "./api.ts";
export { type CallOptions, type Tagged, type WriteOptions, path } from "./call.ts";
export { LxdClient } from "./client.ts";
export type { ChangeOptions, Collection, ListOptions } from "./collection.ts";
export { type Endpoint, type RemoteEndpoint, type SocketEndpoint, findSocket, socketCandidates } from "./endpoint.ts";
export {
  AnswerError,
  BadRequestError,
  ConflictError,
  DeadlineError,
  ExecDeadlineError,
  ForbiddenError,
  LxdError,
  NotFoundError,
  OperationError,
  ServerError,
  UnreachableError,
  UnsupportedError,
  UntrustedServerError,
} from "./errors.ts";
export { type EventOptions, eventSubject } from "./events.ts";
export type { ExecOptions, ExecResult } from "./exec.ts";
export type { FileAttributes, InstanceDraft } from "./instances.ts";
export { type Operation, type WaitOptions, progressOf } from "./operation.ts";
export { fingerprint } from "./pin.ts";
export { type Identity, addTrust, decodeToken, fetchServerCertificate, joinByToken } from "./trust.ts";
export type { Cluster, ClusterMember, ClusterMemberState, MemberConfigKey, TokenContent } from "./types/cluster.ts";
export type {
  EventSubject,
  LifecycleEvent,
  LoggingEvent,
  LxdEvent,
  OperationEvent,
  StreamItem,
} from "./types/event.ts";
export {
  type Instance,
  type InstanceFull,
  type InstanceNetwork,
  type InstanceState,
  type InstanceStateChange,
  InstanceStatus,
} from "./types/instance.ts";
export type * from "./types/network.ts";
export type { OperationState, Progress } from "./types/operation.ts";
export type {
  Certificate,
  Config,
  Profile,
  Project,
  Server,
  ServerEnvironment,
  StoragePool,
  Warning,
} from "./types/server.ts";
