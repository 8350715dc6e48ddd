/** BGP-4: a speaker that announces routes, and the codec it is made of. */
export { type Clock, systemClock } from "./clock.ts";
export { CommunityError, EncodeError, WireError } from "./error.ts";
export {
  type Connection,
  type ConnectionHandler,
  type ConnectOptions,
  type Endpoint,
  type Listener,
  type Network,
  NetworkError,
  type Protections,
  type SocketProtection,
} from "./network.ts";
export {
  type ExportPolicy,
  type GracefulRestartOptions,
  type ListenOptions,
  OptionsError,
  type PeerOptions,
  type RangeOptions,
  type SpeakerOptions,
} from "./options.ts";
export { checkOptions } from "./resolve.ts";
export { type Route, type RouteAttributes, type RouteChange, RouteError } from "./route.ts";
export type { Negotiated, SessionFailure, SessionInfo, SessionState, SpeakerEvents } from "./session-info.ts";
export type { PeerRoute } from "./rib/adj-rib-in.ts";
export type { Confirmation } from "./session/confirmations.ts";
export { Speaker, type SpeakerWorld } from "./speaker.ts";
export * from "./wire/index.ts";
