import { describe, expect, test } from "vitest";
import {
  CeaseReason,
  ErrorCode,
  type NotificationMessage,
  cease,
  describeNotification,
  encodeMessage,
  hardReset,
  shutdownText,
  unwrapHardReset,
} from "../../src/wire/index.ts";
import { external, extended, frame, hex, readOne, toHex } from "./bytes.ts";

const notification = (code: number, subcode: number, data = ""): NotificationMessage => ({
  kind: "notification",
  code,
  subcode,
  data: hex(data),
});

describe("RFC 4271 §4.5 NOTIFICATION", () => {
  test("code, subcode, data", () => {
    const message = notification(2, 1, "0004");
    expect(encodeMessage(message, external)).toEqual(frame(3, hex("02010004")));
    expect(readOne(frame(3, hex("02010004")))).toEqual(message);
  });

  test("RFC 8654 §5: data is cut to what the peer takes", () => {
    const message = notification(7, 1, "00".repeat(6000));
    expect(encodeMessage(message, external).length).toBe(4096);
    expect(encodeMessage(message, extended).length).toBe(6021);
  });

  test.each([
    [notification(4, 0), "Hold Timer Expired"],
    [notification(6, 2), "Cease/Administrative Shutdown"],
    [notification(6, 10), "Cease/BFD Down"],
    [notification(2, 2), "Open/Bad Peer AS"],
    [notification(5, 3), "Finite State Machine/In Established"],
    [notification(3, 11, "400200"), "Update/Malformed AS Path: 0x400200"],
    [notification(6, 200), "Cease/200"],
    [notification(9, 0), "Error 9"],
  ])("is described for people: %o", (message, text) => {
    expect(describeNotification(message)).toBe(text);
  });
});

describe("RFC 9003 shutdown communication", () => {
  test("is the length and the text", () => {
    const message = cease(CeaseReason.AdministrativeShutdown, "maintenance until 14:00");
    expect(toHex(message.data)).toBe("17" + Buffer.from("maintenance until 14:00").toString("hex"));
    expect(shutdownText(message)).toBe("maintenance until 14:00");
    expect(describeNotification(message)).toBe('Cease/Administrative Shutdown: "maintenance until 14:00"');
  });

  test("is cut at 255 octets, between characters", () => {
    const { data } = cease(CeaseReason.AdministrativeReset, "€".repeat(100));
    expect(data.length).toBe(256);
    expect(shutdownText(notification(6, 4, toHex(data)))).toBe("€".repeat(85));
    expect(cease(CeaseReason.AdministrativeReset, "x" + "€".repeat(100)).data.length).toBe(1 + 253);
  });

  test("goes with no other reason", () => {
    expect(cease(CeaseReason.OutOfResources, "text").data.length).toBe(0);
    expect(shutdownText(notification(6, 8, "0178"))).toBeUndefined();
  });

  test.each([
    ["no UTF-8", "01ff"],
    ["a length that is wrong", "0578"],
    ["an empty one", "00"],
    ["nothing", ""],
  ])("%s is no text, and no error", (_, data) => {
    expect(shutdownText(notification(6, 2, data))).toBeUndefined();
    expect(describeNotification(notification(6, 2, data))).toContain("Cease/Administrative Shutdown");
  });

  test("§6: cannot break a log's line or steer a terminal", () => {
    const text = describeNotification(cease(CeaseReason.AdministrativeShutdown, "a\nb\u001b[2J\u009b1m\u202e"));
    // eslint-disable-next-line no-control-regex
    expect(text).toMatch(/^[\u0020-\u007e]+$/);
  });
});

describe("RFC 8538 hard reset", () => {
  const inner = cease(CeaseReason.AdministrativeShutdown, "bye");

  test("wraps a NOTIFICATION and gives it back", () => {
    const outer = hardReset(inner);
    expect(outer).toEqual(notification(ErrorCode.Cease, CeaseReason.HardReset, "060203627965"));
    expect(unwrapHardReset(outer)).toEqual(inner);
    expect(describeNotification(outer)).toBe('Cease/Hard Reset (Cease/Administrative Shutdown: "bye")');
  });

  test("others have nothing inside", () => {
    expect(unwrapHardReset(inner)).toBeUndefined();
    expect(unwrapHardReset(notification(6, 9, "06"))).toBeUndefined();
  });

  test("wrapped often, it is still described", () => {
    let message = inner;
    for (let i = 0; i < 2000; i++) message = hardReset(message);
    expect(() => describeNotification(message)).not.toThrow();
  });
});
