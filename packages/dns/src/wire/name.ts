import { RecordError, WireError } from "../error.ts";

const MAX_NAME = 255;
const MAX_LABEL = 63;
const MAX_LABELS = 127;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
/** Where names are put together before their length is known. */
const SCRATCH = new Uint8Array(MAX_NAME + 1);

/**
 * A domain name: an immutable value, in wire form and without compression, with the case it was written in.
 *
 * Names compare without regard to ASCII case (RFC 4343): {@link key} is equal for equal names.
 */
export class Name {
  static readonly root: Name = new Name(Uint8Array.of(0));

  /** Length-prefixed labels and the root's zero octet; must not be written to. */
  readonly wire: Uint8Array;
  #key: string | undefined;

  private constructor(wire: Uint8Array) {
    this.wire = wire;
  }

  /**
   * Reads a name as zone files write it (RFC 1035 §5.1): `\.` and `\DDD` are octets of a label.
   *
   * @param origin completes a name without a final dot; without an origin every name is taken as complete
   * @throws RecordError
   */
  static parse(text: string, origin: Name = Name.root): Name {
    if (text === ".") return Name.root;
    if (text === "") throw new RecordError(text, "is no domain name");
    const wire = SCRATCH;
    let end = 0; // of what is written
    let label = 0; // where the length of the current label goes
    let complete = false;
    end = 1;
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code === DOT) {
        if (end === label + 1) throw new RecordError(text, "has an empty label");
        wire[label] = end - label - 1;
        label = end++;
        complete = i === text.length - 1;
        continue;
      }
      if (code === BACKSLASH) {
        [code, i] = readEscape(text, i);
      } else if (code > 0x7e || code < 0x21) {
        throw new RecordError(
          text,
          "has a character outside printable ASCII; write it as \\DDD, or the name in Punycode",
        );
      }
      if (end - label > MAX_LABEL) throw new RecordError(text, "has a label of more than 63 octets");
      if (end >= MAX_NAME) throw new RecordError(text, "is longer than 255 octets");
      wire[end++] = code;
    }
    if (complete) {
      end = label;
    } else {
      wire[label] = end - label - 1;
    }
    const tail = complete ? Name.root.wire : origin.wire;
    if (end + tail.length > MAX_NAME) throw new RecordError(text, "is longer than 255 octets");
    const whole = new Uint8Array(end + tail.length);
    whole.set(wire.subarray(0, end));
    whole.set(tail, end);
    return new Name(whole);
  }

  /**
   * Takes a complete wire form without compression. The octets are not copied.
   *
   * @throws WireError
   */
  static fromWire(wire: Uint8Array): Name {
    if (skipLabels(wire, 0) !== wire.length) throw new WireError("octets follow the end of a name");
    return new Name(wire);
  }

  /**
   * Reads the name at `offset` of a message, following compression pointers (RFC 1035 §4.1.4). Each must lead further back than
   * the one before, and there may be no more of them than a name has labels, so that no message takes long to read.
   *
   * @throws WireError
   */
  static readFrom(message: Uint8Array, offset: number): { name: Name; end: number } {
    const wire = SCRATCH;
    let length = 0;
    let at = offset;
    let barrier = offset;
    let pointers = 0;
    let end = -1;
    for (;;) {
      const octet = message[at];
      if (octet === undefined) throw new WireError("a name runs over the end of the message");
      if (octet >= 0xc0) {
        const low = message[at + 1];
        if (low === undefined) throw new WireError("a name runs over the end of the message");
        if (end < 0) end = at + 2;
        at = ((octet & 0x3f) << 8) | low;
        if (at >= barrier) throw new WireError("a compression pointer does not lead back");
        if (++pointers > MAX_LABELS) throw new WireError("a chain of compression pointers without end");
        barrier = at;
        continue;
      }
      if (octet > MAX_LABEL) throw new WireError("a label of an unknown kind");
      if (length + octet + 1 > MAX_NAME) throw new WireError("a name is longer than 255 octets");
      if (at + octet >= message.length) throw new WireError("a name runs over the end of the message");
      for (let i = 0; i <= octet; i++) wire[length++] = message[at + i] ?? 0;
      at += octet + 1;
      if (octet === 0) break;
    }
    return { name: new Name(wire.slice(0, length)), end: end < 0 ? at : end };
  }

  /** The lower-case wire form, one character an octet. */
  get key(): string {
    this.#key ??= foldedKey(this.wire, 0, this.wire.length);
    return this.#key;
  }

  /** The count of labels; the root has none. */
  get labelCount(): number {
    let count = 0;
    for (let at = 0; this.wire[at] !== 0; at += 1 + (this.wire[at] ?? 0)) count++;
    return count;
  }

  get isRoot(): boolean {
    return this.wire.length === 1;
  }

  /** True when the first label is `*` alone (RFC 4592 §2.1.1). */
  get isWildcard(): boolean {
    return this.wire[0] === 1 && this.wire[1] === 0x2a;
  }

  /** Without the first label; the root's parent is the root. */
  get parent(): Name {
    const first = this.wire[0] ?? 0;
    return first === 0 ? this : new Name(this.wire.subarray(first + 1));
  }

  /**
   * With one more label in front, taken as it is, dots included.
   *
   * @throws RecordError when the label or the name becomes too long, or the label is empty
   */
  child(label: string): Name {
    const octets = Buffer.from(label, "utf8");
    if (octets.length === 0 || octets.length > MAX_LABEL) throw new RecordError(label, "is no label of 1 to 63 octets");
    return concat(label, Uint8Array.of(octets.length, ...octets), this);
  }

  /**
   * The name whose suffix `from` is replaced with `to` (RFC 6672 §2.2).
   *
   * @returns `undefined` when the result would be longer than 255 octets
   */
  substitute(from: Name, to: Name): Name | undefined {
    const kept = this.wire.length - from.wire.length;
    if (kept + to.wire.length > MAX_NAME) return undefined;
    const wire = new Uint8Array(kept + to.wire.length);
    wire.set(this.wire.subarray(0, kept));
    wire.set(to.wire, kept);
    return new Name(wire);
  }

  equals(other: Name): boolean {
    return this.key === other.key;
  }

  isAtOrBelow(ancestor: Name): boolean {
    const target = this.wire.length - ancestor.wire.length;
    let at = 0;
    while (at < target) at += 1 + (this.wire[at] ?? 0);
    return at === target && this.key.endsWith(ancestor.key);
  }

  /** Canonical DNS order (RFC 4034 §6.1): by the labels from the right, without regard to case. */
  compare(other: Name): number {
    const mine = labelsOf(this.key);
    const theirs = labelsOf(other.key);
    for (let i = 1; i <= Math.min(mine.length, theirs.length); i++) {
      const a = mine[mine.length - i] ?? "";
      const b = theirs[theirs.length - i] ?? "";
      if (a !== b) return a < b ? -1 : 1;
    }
    return mine.length - theirs.length;
  }

  /** With a final dot, and escapes where RFC 1035 §5.1 wants them. */
  toString(): string {
    if (this.isRoot) return ".";
    let text = "";
    for (let at = 0; this.wire[at] !== 0;) {
      const end = at + 1 + (this.wire[at] ?? 0);
      for (at++; at < end; at++) text += escapeOctet(this.wire[at] ?? 0);
      text += ".";
    }
    return text;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Name keys are walked towards the root without making names: the key of the parent. */
export function parentKey(key: string): string {
  return key.slice(key.charCodeAt(0) + 1);
}

/** The lower-case octets from `start` to `end`, one character each. */
export function foldedKey(bytes: Uint8Array, start: number, end: number): string {
  const folded = Buffer.allocUnsafe(end - start);
  for (let i = start; i < end; i++) folded[i - start] = foldOctet(bytes[i] ?? 0);
  return folded.toString("latin1");
}

/** ASCII lower case. Lengths of labels are under 64 and stay as they are. */
export function foldOctet(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/**
 * Reads `\DDD` or `\X` whose backslash is at `at`.
 *
 * @returns the octet, and where its last character is
 * @throws RecordError
 */
export function readEscape(text: string, at: number): [octet: number, last: number] {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (digits !== undefined) {
    if (Number(digits) > 255) throw new RecordError(text, `has the escape \\${digits}, which is over 255`);
    return [Number(digits), at + 3];
  }
  const code = text.charCodeAt(at + 1);
  if (Number.isNaN(code) || code > 0x7e || (code >= 0x30 && code <= 0x39))
    throw new RecordError(text, "has a backslash that is no escape");
  return [code, at + 1];
}

const SPECIAL = new Set(Buffer.from('\\."();@$', "latin1"));

function escapeOctet(octet: number): string {
  if (octet < 0x21 || octet > 0x7e) return `\\${String(octet).padStart(3, "0")}`;
  return SPECIAL.has(octet) ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet);
}

function labelsOf(key: string): string[] {
  const labels = [];
  for (let at = 0; key.charCodeAt(at) !== 0; at += 1 + key.charCodeAt(at))
    labels.push(key.slice(at + 1, at + 1 + key.charCodeAt(at)));
  return labels;
}

function skipLabels(wire: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const length = wire[at];
    if (length === undefined) throw new WireError("a name runs over its end");
    if (length > MAX_LABEL) throw new WireError("a compressed name where none may be");
    at += 1 + length;
    if (at - start > MAX_NAME) throw new WireError("a name is longer than 255 octets");
    if (length === 0) return at;
  }
}

function concat(text: string, head: Uint8Array, tail: Name): Name {
  if (head.length + tail.wire.length > MAX_NAME) throw new RecordError(text, "makes a name longer than 255 octets");
  const wire = new Uint8Array(head.length + tail.wire.length);
  wire.set(head);
  wire.set(tail.wire, head.length);
  return Name.fromWire(wire);
}
