import { describe, expect, test } from "vitest";
import { RecordError, WireError } from "../src/error.ts";
import { TsigKey } from "../src/tsig/key.ts";
import { findSignature, readSignature } from "../src/tsig/signature.ts";
import { ResponseSigner, ResponseVerifier, keyring, signQuery, verifyQuery } from "../src/tsig/tsig.ts";
import { decodeMessage, encodeMessage } from "../src/wire/message.ts";
import { Name } from "../src/wire/name.ts";
import { NOW, exchange, responderOf, storeOf, zoneOf } from "./support.ts";

const SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
const KEY = new TsigKey("key.example.", "hmac-sha256", SECRET);
const KEYS = keyring([KEY]);
const now = NOW / 1000;
const plain = encodeMessage({ id: 99, question: { name: Name.parse("example."), type: 6 } });
const verify = (message: Uint8Array, at = now) => verifyQuery(message, findSignature(message) ?? 0, KEYS, at);

describe("keys", () => {
  test.each([
    ["hmac-md5", SECRET, "no TSIG algorithm"],
    ["toString", SECRET, "no TSIG algorithm"],
    ["hmac-sha256", "not base64!", "not base64"],
    ["hmac-sha256", "", "empty TSIG secret"],
  ])("%s with secret %j is refused, without showing the secret", (algorithm, secret, problem) => {
    const make = (): TsigKey => new TsigKey("k.", algorithm, secret);
    expect(make).toThrow(RecordError);
    expect(make).toThrow(problem);
    if (secret !== "") expect(make).not.toThrow(secret);
  });

  test("no JSON and no inspection shows the secret", () => {
    expect(JSON.stringify(KEY)).not.toContain(SECRET);
    expect(Object.keys(KEY)).not.toContain("secret");
  });
});

describe("RFC 8945: queries", () => {
  test.each(["hmac-sha256", "hmac-sha384", "hmac-sha512"])("%s", (algorithm) => {
    const key = new TsigKey("key.example.", algorithm, SECRET);
    const { message, mac } = signQuery(plain, key, now);
    expect(mac).toHaveLength(key.hash.size);
    expect(message.length - plain.length).toBe(key.signatureSize);
    expect(verifyQuery(message, findSignature(message) ?? 0, keyring([key]), now)).toEqual({
      key,
      mac: Uint8Array.from(mac),
    });
  });

  test("a forwarder may change the id (§4.3.2)", () => {
    expect(verify(signQuery(plain, KEY, now).message.with(0, 0xab))).not.toHaveProperty("error");
  });

  test("the key's name has no case", () => {
    const shout = new TsigKey("KEY.example.", "hmac-sha256", SECRET);
    expect(verify(signQuery(plain, shout, now).message)).not.toHaveProperty("error");
  });

  test("every changed octet of the message before the TSIG record is noticed", () => {
    const { message } = signQuery(plain, KEY, now);
    for (let i = 2; i < plain.length; i++) {
      if (i === 10 || i === 11) continue; // the count that finds the TSIG record
      const changed = message.with(i, (message[i] ?? 0) ^ 1);
      expect(verifyQuery(changed, plain.length, KEYS, now)).toMatchObject({ error: 16 });
    }
  });

  test("BADKEY: another name, or another algorithm", () => {
    for (const key of [
      new TsigKey("other.", "hmac-sha256", SECRET),
      new TsigKey("key.example.", "hmac-sha512", SECRET),
    ])
      expect(verify(signQuery(plain, key, now).message)).toMatchObject({ error: 17, verified: undefined });
  });

  test("BADSIG: another secret", () => {
    const key = new TsigKey("key.example.", "hmac-sha256", "b3RoZXI=");
    expect(verify(signQuery(plain, key, now).message)).toMatchObject({ error: 16, verified: undefined });
  });

  test.each([
    [300, false],
    [-300, false],
    [301, true],
    [-301, true],
  ])("BADTIME: a clock that is %i s off", (off, bad) => {
    expect("error" in verify(signQuery(plain, KEY, now + off).message)).toBe(bad);
  });

  test("BADTRUNC: a shortened MAC; FORMERR: one too short for any policy (§5.2.2.1)", () => {
    const shorten = (length: number): Uint8Array => {
      const { message } = signQuery(plain, KEY, now);
      const at = message.length - 6 - 32; // MAC, then id, error and other length
      const cut = Uint8Array.from([...message.subarray(0, at + length), ...message.subarray(at + 32)]);
      cut[at - 1] = length;
      const lengthAt = plain.length + KEY.name.wire.length + 8;
      cut[lengthAt + 1] = (cut[lengthAt + 1] ?? 0) - (32 - length);
      return cut;
    };
    expect(verify(shorten(16))).toMatchObject({ error: 22 });
    expect(() => verify(shorten(15))).toThrow(WireError);
  });
});

describe("RFC 8945 §5.2: what the server says", () => {
  const responder = responderOf(storeOf(zoneOf("example.", "@ 60 IN SOA ns admin 1 2 3 4 5\n@ 60 NS ns\n")), {
    keys: KEYS,
  });
  const answerTo = (message: Uint8Array): Uint8Array => exchange(responder, message) ?? new Uint8Array();

  test("a good signature: a signed answer", () => {
    const { message, mac } = signQuery(plain, KEY, now);
    const answer = answerTo(message);
    expect(decodeMessage(answer).answers).toHaveLength(1);
    expect(() => new ResponseVerifier(KEY, mac).verify(answer, now)).not.toThrow();
  });

  test.each([
    ["BADKEY", new TsigKey("other.", "hmac-sha256", SECRET), 17],
    ["BADSIG", new TsigKey("key.example.", "hmac-sha256", "b3RoZXI="), 16],
  ])("%s: NOTAUTH, with a TSIG record that is not signed", (_, key, error) => {
    const answer = answerTo(signQuery(plain, key, now).message);
    expect(decodeMessage(answer)).toMatchObject({ rcode: 9, answers: [] });
    expect(readSignature(answer, findSignature(answer) ?? 0)).toMatchObject({ error, mac: new Uint8Array() });
  });

  test("BADTIME: NOTAUTH, signed, with the server's time (§5.2.3)", () => {
    const { message, mac } = signQuery(plain, KEY, now - 1000);
    const answer = answerTo(message);
    expect(decodeMessage(answer).rcode).toBe(9);
    const signature = readSignature(answer, findSignature(answer) ?? 0);
    expect(signature).toMatchObject({ error: 18, time: now - 1000 });
    expect(Buffer.from(signature.other).readUIntBE(0, 6)).toBe(now);
    expect(() => new ResponseVerifier(KEY, mac).verify(answer, now)).toThrow("rejected the signature: BADTIME");
  });

  test("a TSIG record that is not the last, or is malformed: FORMERR", () => {
    const { message } = signQuery(plain, KEY, now);
    const twice = Uint8Array.from([...message, ...message.subarray(plain.length)]).with(11, 2);
    expect((answerTo(twice)[3] ?? 0) & 0xf).toBe(1);
    expect((answerTo(message.with(plain.length + KEY.name.wire.length + 3, 1))[3] ?? 0) & 0xf).toBe(1);
  });
});

describe("RFC 8945 §5.3.1: answers of many messages", () => {
  const { mac } = signQuery(plain, KEY, now);
  const stream = (): Uint8Array[] => {
    const signer = new ResponseSigner({ key: KEY, mac });
    return Array.from({ length: 4 }, (_, i) => signer.sign(plain.with(2, 0x80 + i), now));
  };

  test("each is bound to the one before", () => {
    const verifier = new ResponseVerifier(KEY, mac);
    for (const message of stream()) verifier.verify(message, now);
    verifier.finish();
  });

  test.each([
    ["left out", ([a, , c]: Uint8Array[]) => [a, c]],
    ["swapped", ([a, b, c]: Uint8Array[]) => [a, c, b]],
    ["repeated", ([a, b]: Uint8Array[]) => [a, b, b]],
    ["changed", ([a, b]: Uint8Array[]) => [a, b?.with(2, 0)]],
  ])("one that was %s is noticed", (_, spoil) => {
    const verifier = new ResponseVerifier(KEY, mac);
    expect(() => {
      for (const message of spoil(stream())) if (message) verifier.verify(message, now);
    }).toThrow(WireError);
  });

  test("unsigned messages in between are covered by the next signature, but not at the beginning or end", () => {
    const bare = plain.with(2, 0x81);
    expect(() => new ResponseVerifier(KEY, mac).verify(bare, now)).toThrow("not signed");
    const verifier = new ResponseVerifier(KEY, mac);
    const [head = plain] = stream();
    verifier.verify(head, now);
    verifier.verify(bare, now);
    expect(() => verifier.finish()).toThrow("last message is not signed");
    for (let i = 1; i < 99; i++) verifier.verify(bare, now);
    expect(() => verifier.verify(bare, now)).toThrow("not signed");
  });
});
