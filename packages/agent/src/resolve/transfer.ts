import { readFileSync } from "node:fs";
import { Name, TYPE, TsigKey, axfr, recordText } from "@trivet/dns";
import { Address } from "@trivet/ip";

/** What was to be transferred cannot be asked for. */
export class TransferQuestionError extends Error {
  override readonly name = "TransferQuestionError";
  readonly fault = "input";
}

export interface TransferQuestion {
  readonly zone: string;
  /** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353` */
  readonly server: string;
  /** A file with a TSIG key: see {@link parseKey}. */
  readonly keyFile?: string | undefined;
}

/**
 * Transfers a zone from a name server, as a secondary does (RFC 5936).
 *
 * @returns its records as lines of a zone file, the SOA record first
 * @throws TransferQuestionError, RecordError; ExchangeError when the server refuses or does not answer
 */
export async function* transferZone({ zone, server, keyFile }: TransferQuestion): AsyncGenerator<string> {
  const key = keyFile === undefined ? undefined : parseKey(readKeyFile(keyFile), keyFile);
  let first = true;
  for await (const record of axfr(Name.parse(zone), { ...endpoint(server), ...(key === undefined ? {} : { key }) })) {
    // The SOA record comes again at the end, which no zone file has.
    if (first || record.type !== TYPE.SOA) yield recordText(record);
    first = false;
  }
}

/** @throws TransferQuestionError */
function endpoint(text: string): { address: string; port: number } {
  // An IPv6 address without brackets has no port.
  const [, six, four, port = "53"] = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = Address.tryParse(six ?? four ?? text);
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new TransferQuestionError(
      `${text} is no address of a server; write it as 192.0.2.53, [2001:db8::53]:5353 or 2001:db8::53`,
    );
  return { address: address.toString(), port: Number(port) };
}

/**
 * A TSIG key as tools write it: `key "NAME" { algorithm hmac-sha256; secret "..."; };` as BIND's `tsig-keygen` and Knot's `keymgr` do,
 * or `[ALGORITHM:]NAME:SECRET` as dig and kdig take it.
 *
 * @throws TransferQuestionError, RecordError
 */
export function parseKey(text: string, path: string): TsigKey {
  const name = /\bkey\s+"?([^\s"{;]+)"?\s*\{/.exec(text)?.[1];
  const algorithm = /\balgorithm\s+"?([\w-]+)"?\s*;/.exec(text)?.[1];
  const secret = /\bsecret\s+"?([\w+/=]+)"?\s*;/.exec(text)?.[1];
  if (name !== undefined && algorithm !== undefined && secret !== undefined)
    return new TsigKey(name, algorithm, secret);
  const [, kind = "hmac-sha256", plain, inline] = /^\s*(?:([\w-]+):)?([^\s:]+):([\w+/=]+)\s*$/.exec(text) ?? [];
  if (plain === undefined || inline === undefined)
    throw new TransferQuestionError(`${path}: holds no TSIG key; write it as hmac-sha256:NAME:SECRET`);
  return new TsigKey(plain, kind, inline);
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new TransferQuestionError(`${path}: cannot read this key: ${(error as Error).message}`);
  }
}
