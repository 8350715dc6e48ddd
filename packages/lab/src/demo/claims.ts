/** Something the demo says is so, and found to be so or not. */
export interface Claim {
  /** Stable, for programs. */
  readonly name: string;
  readonly held: boolean;
  readonly measured: number;
  readonly unit: "ms" | "routes" | "withdrawals";
  /** Why it did not hold. */
  readonly why?: string;
}

/** What a claim is found to be. */
export type Measurement = Omit<Claim, "name" | "held"> & { readonly held?: boolean };

/** Where the story is told. */
export interface Teller {
  /** A paragraph, one line or more. */
  say(text: string): void;
  /** A claim that was just tried, and what it says. */
  claim(text: string, claim: Claim): void;
}

/** Something did not come about in time. `message` says what was still missing. */
export class NotInTimeError extends Error {
  override readonly name = "NotInTimeError";
  readonly fault = "world";

  constructor(missing: string, waited: number, complaints: readonly string[]) {
    super([`not within ${waited / 1000} s: ${missing}`, ...complaints].join("; "));
  }
}
