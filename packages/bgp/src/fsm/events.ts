import type { WireError } from "../error.ts";
import type { Message, NotificationMessage, OpenMessage } from "../wire/index.ts";

export type TimerName = "connectRetry" | "delayOpen" | "hold" | "keepalive" | "sendHold" | "idleHold";

/** What happens to a session; the numbers are those of RFC 4271 §8.1. */
export type FsmEvent =
  /** 1 and 3 to 7: ManualStart, AutomaticStart and their variants; which one is a matter of the configuration. */
  | { readonly type: "start" }
  /** 6 and 7: AutomaticStart after an idle hold time, with DampPeerOscillations. */
  | { readonly type: "restart" }
  /** 2 and 8: ManualStop, AutomaticStop. Without a NOTIFICATION the connection is just closed. */
  | {
      readonly type: "stop";
      readonly notification?: NotificationMessage;
      readonly reason: string;
      /** 8, not 2: the session comes up again by itself. */
      readonly automatic?: boolean;
    }
  /** 9 to 13, and 29 of RFC 9687. */
  | { readonly type: "timer"; readonly timer: TimerName }
  /** 16 and 17: Tcp_CR_Acked, TcpConnectionConfirmed. */
  | { readonly type: "tcp-established" }
  /** 18: TcpConnectionFails. */
  | { readonly type: "tcp-failed"; readonly reason: string }
  /** 19 and 20: BGPOpen, without and with the DelayOpenTimer running. */
  | { readonly type: "open"; readonly message: OpenMessage }
  /** 21, 22 and 28: BGPHeaderErr, BGPOpenMsgErr, UpdateMsgErr. */
  | { readonly type: "error"; readonly error: WireError }
  /** 23: OpenCollisionDump. */
  | { readonly type: "collision" }
  /** 24 and 25: NotifMsgVerErr, NotifMsg. */
  | { readonly type: "notification"; readonly message: NotificationMessage }
  /** 26. */
  | { readonly type: "keepalive" }
  /** 27. */
  | { readonly type: "update" }
  /** RFC 2918: expected in Established only. */
  | { readonly type: "route-refresh" }
  /** The system took octets that were sent (RFC 9687 §3). */
  | { readonly type: "sent" };

/** What the session's owner is to do, in order. */
export type FsmAction =
  | { readonly do: "connect" }
  /** Closes the connection, or gives up connecting; what was sent before still goes out. */
  | { readonly do: "close" }
  | { readonly do: "send"; readonly message: Message }
  /** Starts a timer, anew if it runs. */
  | { readonly do: "start-timer"; readonly timer: TimerName; readonly milliseconds: number }
  | { readonly do: "stop-timer"; readonly timer: TimerName }
  /** The session went down, or did not come up. */
  | { readonly do: "failed"; readonly reason: string };
