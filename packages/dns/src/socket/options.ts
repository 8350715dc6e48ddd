import { randomBytes } from "node:crypto";
import { Prefix } from "@trivet/ip";
import { RecordError } from "../error.ts";
import { type RateLimitOptions, RateLimit } from "../limits/rate-limit.ts";
import { Cookies } from "../limits/cookies.ts";
import type { TransferRule } from "../transfer/access.ts";
import { TsigKey } from "../tsig/key.ts";
import { Name } from "../wire/name.ts";
import type { TcpLimits } from "./tcp.ts";
import type { Endpoint } from "./udp.ts";

/** Everything a server needs but its zones: plain data, so that it can be read from a file and handed to threads. */
export interface ServerOptions {
  /** Addresses and ports for UDP and TCP. With several addresses on a host, name each: an answer then leaves from where it was asked. */
  readonly listen: readonly Endpoint[];
  /** Threads for UDP queries; one more then serves TCP, transfers and notifications. 0, the default: all in the caller's thread. */
  readonly workers?: number;
  /** TSIG keys; the secret is base64. */
  readonly keys?: readonly { readonly name: string; readonly algorithm: string; readonly secret: string }[];
  /** Who may transfer zones: any rule that fits is enough, and a rule fits when all it says does. Nobody unless told. */
  readonly transfers?: readonly {
    readonly zones?: readonly string[];
    readonly from?: readonly string[];
    readonly key?: string;
  }[];
  /** Secondaries to notify. */
  readonly notify?: readonly {
    readonly address: string;
    /** 53 unless told. */
    readonly port?: number;
    /** The address to send from. */
    readonly source?: string;
    readonly key?: string;
    readonly zones?: readonly string[];
  }[];
  /** 32 hexadecimal digits; a second one is still accepted. Random unless told; servers with one address need the same. */
  readonly cookieSecrets?: readonly string[];
  /** 200 equal answers a second to one client network unless told; `false` is no limit. With workers each counts its share. */
  readonly rateLimit?: RateLimitOptions | false;
  /** Told to clients that ask with NSID (RFC 5001). */
  readonly identity?: string;
  /** Octets, 512 to 4,096; 1,232 unless told. */
  readonly maxUdpSize?: number;
  /** Octets of encoded answers each thread keeps; 32 MiB unless told. */
  readonly cacheSize?: number;
  readonly tcp?: TcpLimits;
}

const DEFAULT_RATE = 200;

/** @throws RecordError when a name, key, prefix or size is none */
export function readKeys({ keys = [] }: ServerOptions): Map<string, TsigKey> {
  return new Map(
    keys.map(({ name, algorithm, secret }) => {
      const key = new TsigKey(name, algorithm, secret);
      return [key.name.key, key];
    }),
  );
}

export function findKey(keys: ReadonlyMap<string, TsigKey>, name: string): TsigKey {
  const key = keys.get(Name.parse(name).key);
  if (key === undefined) throw new RecordError(name, "is the name of no TSIG key; add it to the keys");
  return key;
}

export function readTransfers({ transfers = [] }: ServerOptions, keys: ReadonlyMap<string, TsigKey>): TransferRule[] {
  return transfers.map(({ zones, from, key }) => ({
    ...(zones === undefined ? {} : { zones: zones.map((name) => Name.parse(name)) }),
    ...(from === undefined ? {} : { from: from.map((prefix) => Prefix.parse(prefix)) }),
    ...(key === undefined ? {} : { key: findKey(keys, key).name }),
  }));
}

export function readCookies({ cookieSecrets = [] }: ServerOptions): Cookies {
  const [current, previous] = cookieSecrets.map((secret) => {
    if (!/^[0-9a-fA-F]{32}$/.test(secret)) throw new RecordError("cookieSecrets", "must be 32 hexadecimal digits each");
    return Buffer.from(secret, "hex");
  });
  return new Cookies(current ?? randomBytes(16), previous);
}

export function readRateLimit({ rateLimit, workers = 0 }: ServerOptions): RateLimit | undefined {
  if (rateLimit === false) return undefined;
  const { responsesPerSecond, ...rest } = rateLimit ?? { responsesPerSecond: DEFAULT_RATE };
  return new RateLimit({ ...rest, responsesPerSecond: Math.max(1, responsesPerSecond / Math.max(1, workers)) });
}

export function checkSizes({ maxUdpSize = 1232 }: ServerOptions): void {
  if (!Number.isInteger(maxUdpSize) || maxUdpSize < 512 || maxUdpSize > 4096)
    throw new RecordError(String(maxUdpSize), "is no UDP answer size from 512 to 4096");
}
