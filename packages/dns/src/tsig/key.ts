import { RecordError } from "../error.ts";
import { decode } from "../wire/field.ts";
import { Name } from "../wire/name.ts";

/** The algorithms RFC 8945 §6 keeps alive; MD5 and SHA-1 are not among them. */
const ALGORITHMS = {
  "hmac-sha256": { hash: "sha256", size: 32 },
  "hmac-sha384": { hash: "sha384", size: 48 },
  "hmac-sha512": { hash: "sha512", size: 64 },
} as const;

export type TsigAlgorithm = keyof typeof ALGORITHMS;

/** A secret that two servers share. The secret is not enumerable, so that no log or JSON shows it. */
export class TsigKey {
  readonly name: Name;
  readonly algorithm: TsigAlgorithm;
  readonly algorithmName: Name;
  readonly #secret: Uint8Array;

  /**
   * @param secret base64, as `tsig-keygen` and `keymgr -t` print it
   * @throws RecordError
   */
  constructor(name: string, algorithm: string, secret: string) {
    if (!isAlgorithm(algorithm))
      throw new RecordError(algorithm, `is no TSIG algorithm; use one of ${Object.keys(ALGORITHMS).join(", ")}`);
    this.name = Name.parse(name);
    this.algorithm = algorithm;
    this.algorithmName = Name.parse(`${algorithm}.`);
    try {
      this.#secret = decode(secret, "base64");
    } catch {
      // The text of the error would hold the secret.
      throw new RecordError(name, "has a TSIG secret that is not base64");
    }
    if (this.#secret.length === 0) throw new RecordError(name, "has an empty TSIG secret");
  }

  get secret(): Uint8Array {
    return this.#secret;
  }

  /** Name of the hash in `node:crypto`, and the length of its MAC in octets. */
  get hash(): { readonly hash: string; readonly size: number } {
    return ALGORITHMS[this.algorithm];
  }

  /** Octets a signature adds to a message. */
  get signatureSize(): number {
    return this.name.wire.length + 10 + this.algorithmName.wire.length + 16 + this.hash.size;
  }

  /** `name algorithm secret`: for handing a key to a worker. */
  toTuple(): [name: string, algorithm: string, secret: string] {
    return [this.name.toString(), this.algorithm, Buffer.from(this.#secret).toString("base64")];
  }
}

function isAlgorithm(text: string): text is TsigAlgorithm {
  return Object.hasOwn(ALGORITHMS, text);
}
