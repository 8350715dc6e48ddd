/**
 * A peer broke the protocol so that the session must end (RFC 4271 §6): the NOTIFICATION to send. The only error that reading
 * bytes throws, whatever the bytes.
 */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly fault = "world";
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;

  constructor(code: number, subcode: number, reason: string, data: Uint8Array = new Uint8Array()) {
    super(reason);
    this.code = code;
    this.subcode = subcode;
    this.data = data;
  }
}

/** A message that cannot be written: too long for the session, or a value outside its field. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
  readonly fault = "input";
}

/** Text that is no community. The message says what is wrong and what is right. */
export class CommunityError extends Error {
  override readonly name = "CommunityError";
  readonly fault = "input";
  readonly text: string;

  constructor(text: string, reason: string) {
    super(`${JSON.stringify(text)} ${reason}`);
    this.text = text;
  }
}
