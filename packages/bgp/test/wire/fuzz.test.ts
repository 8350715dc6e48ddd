import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EncodeError, WireError } from "../../src/error.ts";
import {
  type Message,
  MessageReader,
  type WireContext,
  describeNotification,
  encodeMessage,
} from "../../src/wire/index.ts";
import { attribute, extended, external, frame, MANDATORY, NLRI, readUpdateParts } from "./bytes.ts";
import { recordings } from "./fixtures.ts";

// TRIVET_FUZZ=N runs N cases with a seed of its own each time; without it, the same few thousand.
const cases = process.env["TRIVET_FUZZ"];
const options = cases === undefined ? { seed: 7606, numRuns: 8000 } : { numRuns: Number(cases) };
const timeout = cases === undefined ? 20_000 : 24 * 3_600_000;

const sessions = recordings.filter(({ messages }) => messages.length > 0);
const anySession = fc.constantFrom(...sessions);
/** Changes that keep the header whole, so that the change is met where it matters. */
const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("set", "flip", "insert", "remove", "copy", "length"),
  value: fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xc0, 0xff), fc.integer({ min: 0, max: 255 })),
});

function mutate(message: Uint8Array, changes: readonly { at: number; how: string; value: number }[]): Uint8Array {
  const body = [...message.subarray(19)];
  for (const { at, how, value } of changes) {
    const index = body.length === 0 ? 0 : at % body.length;
    if (how === "set") body[index] = value;
    else if (how === "flip") body[index] = (body[index] ?? 0) ^ (1 << (value & 7));
    else if (how === "insert") body.splice(index, 0, value);
    else if (how === "remove") body.splice(index, 1 + (value & 15));
    else if (how === "copy") body.splice(index, 0, ...body.slice(index, index + (value & 31)));
    else body[index] = ((body[index] ?? 0) + (value & 1 ? 1 : -1)) & 0xff;
  }
  return frame(message[18] ?? 0, Uint8Array.from(body));
}

/** Reads what there is; the only error is ours. What was read can be described and, where it can be written, read again. */
function survives(bytes: Uint8Array, context: WireContext): void {
  const reader = new MessageReader();
  reader.context = context;
  reader.push(bytes);
  try {
    for (let message = reader.next(); message !== undefined; message = reader.next()) check(message, context);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    expect(error.code).toBeGreaterThan(0);
    const { code, subcode, data } = error;
    encodeMessage({ kind: "notification", code, subcode, data }, context);
  }
}

function check(message: Message, context: WireContext): void {
  if (message.kind === "notification") describeNotification(message);
  if (message.kind === "update") {
    expect(message.attributes !== undefined).toBe(message.announced.length > 0);
    if (message.problems?.some(({ action }) => action === "treat-as-withdraw")) expect(message.announced).toEqual([]);
  }
  let again: Uint8Array;
  try {
    again = encodeMessage(message, { ...context, maxSend: context.maxReceive });
  } catch (error) {
    if (error instanceof EncodeError) return;
    throw error;
  }
  const reader = new MessageReader();
  reader.context = context;
  reader.push(again);
  expect(reader.next()?.kind).toBe(message.kind);
}

describe("any octets are read or refused with a WireError", () => {
  test(
    "mutated messages of real speakers",
    () => {
      fc.assert(
        fc.property(
          anySession,
          fc.nat(),
          fc.array(mutation, { minLength: 1, maxLength: 6 }),
          (session, pick, changes) => {
            const message = session.messages[pick % session.messages.length];
            if (message !== undefined) survives(mutate(message, changes), session.context);
          },
        ),
        options,
      );
    },
    timeout,
  );

  test(
    "random octets behind a right header",
    () => {
      fc.assert(
        fc.property(
          anySession,
          fc.integer({ min: 0, max: 6 }),
          fc.uint8Array({ maxLength: 400 }),
          ({ context }, type, body) => {
            survives(frame(type, body), context);
          },
        ),
        options,
      );
    },
    timeout,
  );

  test(
    "random octets",
    () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(bytes, external)),
        options,
      );
    },
    timeout,
  );
});

describe("no input takes more than its share of time", () => {
  /** Milliseconds of this thread, however busy the machine is; counted in steps of some. */
  const took = (work: () => void): number => {
    const start = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / 1000;
  };
  /** One large input takes about as long as 16 of a sixteenth; were it quadratic, 16 times as long. */
  const linear = (work: (size: number) => () => void, most: number): void => {
    const [small, large] = [work(most / 16), work(most)];
    large(); // compiled
    const apart = took(() => {
      for (let i = 0; i < 16; i++) small();
    });
    expect(took(large)).toBeLessThan(5 * apart + 50);
  };
  const withAttributes = (attributes: string): Uint8Array => {
    const length = (attributes.length / 2).toString(16).padStart(4, "0");
    return frame(2, Uint8Array.from(Buffer.from(`0000${length}${attributes}${NLRI}`, "hex")));
  };

  test.each<[string, (count: number) => Uint8Array, number]>([
    ["AS_PATH segments", (n) => withAttributes(MANDATORY + attribute(0xc0, 17, "02010000fbf0".repeat(n))), 8192],
    ["communities", (n) => withAttributes(MANDATORY + attribute(0xc0, 8, "00010002".repeat(n))), 16_000],
    ["repeated attributes", (n) => withAttributes(MANDATORY + attribute(0x80, 4, "00000001").repeat(n)), 8192],
    ["attributes without a value", (n) => withAttributes(MANDATORY + "c06300".repeat(n)), 16_384],
    ["prefixes", (n) => frame(2, Uint8Array.from(Buffer.from(`00000000${"00".repeat(n)}`, "hex"))), 60_000],
    ["hard resets in hard resets", (n) => frame(3, Uint8Array.from(Buffer.from("0609".repeat(n), "hex"))), 32_000],
  ])("%s", (_, parts, most) => {
    linear((count) => {
      const bytes = parts(count);
      return () => survives(bytes, extended);
    }, most);
  });

  test("octet by octet, a long message is put together in linear time", () => {
    const message = frame(2, Uint8Array.from(Buffer.from(`00000000${"00".repeat(60_000)}`, "hex")));
    const drip = (size: number) => (): void => {
      const reader = new MessageReader();
      reader.context = extended;
      for (const octet of message.subarray(0, size)) {
        reader.push(Uint8Array.of(octet));
        if (reader.next() !== undefined) throw new Error("the message is not whole yet");
      }
    };
    linear(drip, 48_000);
  });

  test("two-octet AS_PATH and AS4_PATH are merged in linear time", () => {
    const merge = (size: number): (() => void) => {
      const path = attribute(0x40, 2, "0201fbf0".repeat(2 * size));
      const as4Path = attribute(0xc0, 17, "02010000fbf0".repeat(size));
      const attributes = attribute(0x40, 1, "00") + path + attribute(0x40, 3, "c0000201") + as4Path;
      return () => void readUpdateParts({ attributes, nlri: NLRI }, { ...extended, fourOctetAs: false });
    };
    linear(merge, 4000);
  });
});
