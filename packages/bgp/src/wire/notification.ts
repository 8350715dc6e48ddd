import { decodeUtf8 } from "./capability.ts";
import { CeaseReason, ErrorCode, FsmError, HeaderError, OpenError, RouteRefreshError, UpdateError } from "./codes.ts";
import type { NotificationMessage } from "./message.ts";

/** RFC 9003 §2. */
const MAX_TEXT = 255;

const SUBCODES: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [ErrorCode.MessageHeader]: HeaderError,
  [ErrorCode.Open]: OpenError,
  [ErrorCode.Update]: UpdateError,
  [ErrorCode.FiniteStateMachine]: FsmError,
  [ErrorCode.Cease]: CeaseReason,
  [ErrorCode.RouteRefresh]: RouteRefreshError,
};

/**
 * A Cease NOTIFICATION (RFC 4486), with the reason for people where the subcode takes one (RFC 9003).
 *
 * @param subcode of `CeaseReason`
 * @param text cut at 255 octets, between characters
 */
export function cease(subcode: number, text?: string): NotificationMessage {
  const data = text !== undefined && takesText(subcode) ? withLength(text) : new Uint8Array();
  return { kind: "notification", code: ErrorCode.Cease, subcode, data };
}

/** RFC 8538 §3: wraps a NOTIFICATION so that a peer which keeps routes over NOTIFICATIONs does not keep them over this one. */
export function hardReset(inner: NotificationMessage): NotificationMessage {
  const data = Uint8Array.of(inner.code, inner.subcode, ...inner.data);
  return { kind: "notification", code: ErrorCode.Cease, subcode: CeaseReason.HardReset, data };
}

/** The NOTIFICATION inside a Hard Reset (RFC 8538 §3); `undefined` for any other, and for a Hard Reset that says nothing. */
export function unwrapHardReset({ code, subcode, data }: NotificationMessage): NotificationMessage | undefined {
  const [innerCode, innerSubcode] = data;
  if (code !== ErrorCode.Cease || subcode !== CeaseReason.HardReset) return undefined;
  if (innerCode === undefined || innerSubcode === undefined) return undefined;
  return { kind: "notification", code: innerCode, subcode: innerSubcode, data: data.slice(2) };
}

/** What the peer's operator wrote (RFC 9003 §2); `undefined` when there is nothing, or it is malformed or not UTF-8. */
export function shutdownText({ code, subcode, data }: NotificationMessage): string | undefined {
  if (code !== ErrorCode.Cease || !takesText(subcode)) return undefined;
  const length = data[0] ?? 0;
  return length === 0 || length !== data.length - 1 ? undefined : decodeUtf8(data.subarray(1));
}

/** For logs and people, in one line: `Cease/Administrative Shutdown: "maintenance until 14:00"`. */
export function describeNotification(message: NotificationMessage): string {
  const inner = unwrapHardReset(message);
  return inner === undefined ? describePlain(message) : `${nameOf(message)} (${describePlain(inner)})`;
}

function describePlain(message: NotificationMessage): string {
  const text = shutdownText(message);
  // JSON quotes what would break the line or move the cursor (RFC 9003 §6), but not all that turns the direction of writing.
  if (text !== undefined)
    return `${nameOf(message)}: ${JSON.stringify(text).replaceAll(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "?")}`;
  const data = Buffer.from(message.data.subarray(0, 32)).toString("hex");
  return data === "" ? nameOf(message) : `${nameOf(message)}: 0x${data}`;
}

function nameOf({ code, subcode }: NotificationMessage): string {
  const codeName = keyOf(ErrorCode, code) ?? `Error ${code}`;
  const subcodeName = keyOf(SUBCODES[code] ?? {}, subcode) ?? (subcode === 0 ? undefined : String(subcode));
  return subcodeName === undefined ? codeName : `${codeName}/${subcodeName}`;
}

/** `AdministrativeShutdown` is `Administrative Shutdown`, as the RFCs write it. */
function keyOf(names: Readonly<Record<string, number>>, value: number): string | undefined {
  const key = Object.keys(names).find((name) => names[name] === value);
  return key
    ?.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .replace(/\bAs\b/, "AS")
    .replace(/\bBfd\b/, "BFD");
}

function takesText(subcode: number): boolean {
  return subcode === CeaseReason.AdministrativeShutdown || subcode === CeaseReason.AdministrativeReset;
}

function withLength(text: string): Uint8Array {
  const octets = new Uint8Array(1 + MAX_TEXT);
  const { written } = new TextEncoder().encodeInto(text, octets.subarray(1));
  octets[0] = written;
  return octets.slice(0, 1 + written);
}
