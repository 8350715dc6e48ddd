import { Name, parseType } from "@trivet/dns";
import { Address } from "@trivet/ip";

/** What a check asks, and where. */
export type Target = HttpTarget | TcpTarget | DnsTarget | ExecTarget;

/** Of the instance. */
interface Place {
  /** Absent: the instance's own. */
  readonly address?: Address;
  readonly port: number;
}

export interface HttpTarget extends Place {
  readonly kind: "http";
  readonly secure: boolean;
  /** What the `Host` header says; absent: the address. */
  readonly host?: string;
  /** With its query. */
  readonly path: string;
}

export interface TcpTarget extends Place {
  readonly kind: "tcp";
}

export interface DnsTarget extends Place {
  readonly kind: "dns";
  readonly name: Name;
  readonly type: number;
}

export interface ExecTarget {
  readonly kind: "exec";
  /** For `/bin/sh` in the instance. */
  readonly command: string;
}

/** A check that makes no sense. */
export class TargetError extends Error {
  override readonly name = "TargetError";
  readonly fault = "input";

  constructor(text: string, problem: string) {
    super(`${JSON.stringify(text)} ${problem}`);
  }
}

const URL_FORM = /^(https?|tcp|dns):\/\/(\[[^\]/]*\]|[^\]/?:[]*)(?::(\d{1,5}))?(\/\S*)?$/;
const HOST_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;
/** What Node sends in a request; it has no octets for the rest. */
const SENDABLE = /^[\u0021-\u00ff]*$/;
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, dns: 53 };

/**
 * Reads `http://HOST:PORT/PATH` (or `https`), `tcp://HOST:PORT`, `dns://HOST:PORT/NAME?type=TYPE` or `exec:COMMAND`. HOST is an address of
 * the instance, and is left out for its own: `http://:8080/ready`. With http it may be a name: that is what the `Host` header says,
 * and is looked up nowhere.
 *
 * @throws TargetError, RecordError or AddressError, each the user's fault
 */
export function parseTarget(text: string): Target {
  if (text.startsWith("exec:")) {
    const command = text.slice("exec:".length).trim();
    if (command === "") throw new TargetError(text, "has no command");
    return { kind: "exec", command };
  }
  const match = URL_FORM.exec(text);
  if (match === null)
    throw new TargetError(
      text,
      "is no check; write http://:PORT/PATH, https://…, tcp://:PORT, dns:///NAME?type=TYPE or exec:COMMAND",
    );
  const [, scheme = "", host = "", portText, path = "/"] = match;
  const port = portText === undefined ? PORTS[scheme] : Number(portText);
  if (port === undefined) throw new TargetError(text, "has no port");
  if (port < 1 || port > 65_535) throw new TargetError(text, "has a port outside 1 to 65535");
  const named = !host.startsWith("[") && HOST_NAME.test(host) && !/^[\d.]+$/.test(host);
  const place = { port, ...(host === "" || named ? {} : { address: Address.parse(host.replace(/^\[|\]$/g, "")) }) };
  if (scheme === "http" || scheme === "https") {
    if (!SENDABLE.test(path)) throw new TargetError(text, "has a path with characters to be written as %XX");
    return { kind: "http", secure: scheme === "https", ...place, path, ...(named ? { host } : {}) };
  }
  if (named) throw new TargetError(text, "has a name where only an address of the instance may stand, or nothing");
  if (scheme === "dns") return { kind: "dns", ...place, ...question(text, path) };
  if (path !== "/") throw new TargetError(text, "has a path, which tcp does not know");
  return { kind: "tcp", ...place };
}

function question(text: string, path: string): { name: Name; type: number } {
  const [name = "", query = ""] = path.slice(1).split("?");
  if (name === "") throw new TargetError(text, "has no name to ask for; write dns:///NAME?type=TYPE");
  const options = new URLSearchParams(query);
  for (const key of options.keys())
    if (key !== "type") throw new TargetError(text, `has ${JSON.stringify(key)}, which dns does not know`);
  return { name: Name.parse(name), type: parseType(options.get("type") ?? "A") };
}
