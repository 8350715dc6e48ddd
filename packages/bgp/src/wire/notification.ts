import type { NotificationMessage } from "./message.ts";

/**
 * A Cease NOTIFICATION (RFC 4486), with the reason for people where the subcode takes one (RFC 9003).
 *
 * @param subcode of `CeaseReason`
 * @param text cut at 255 octets, between characters
 */
export function cease(subcode: number, text?: string): NotificationMessage {
  void [subcode, text];
  throw new Error("being written");
}

/** RFC 8538 §3: wraps a NOTIFICATION so that a peer which keeps routes over NOTIFICATIONs does not keep them over this one. */
export function hardReset(inner: NotificationMessage): NotificationMessage {
  void inner;
  throw new Error("being written");
}

/** The NOTIFICATION inside a Hard Reset (RFC 8538 §3); `undefined` for any other. */
export function unwrapHardReset(message: NotificationMessage): NotificationMessage | undefined {
  void message;
  throw new Error("being written");
}

/** For logs and people: `Cease/Administrative Shutdown: "maintenance until 14:00"`. */
export function describeNotification(message: NotificationMessage): string {
  void message;
  throw new Error("being written");
}
