import { ExchangeError } from "@trivet/dns";
import type { Check } from "../plan.ts";
import type { Outcome } from "../state.ts";
import { probeDns } from "./dns.ts";
import { type Executor, probeExec } from "./exec.ts";
import { probeHttp } from "./http.ts";
import { probeTcp } from "./tcp.ts";
import { type Witness, pingWitness } from "./witness.ts";

/** Runs a check once. The signal ends it without an outcome. */
export type Probe = (check: Check, signal: AbortSignal) => Promise<Outcome>;

/** Checks real instances. A check without an answer has not failed if the router on the way does not answer either. */
export function systemProbe(instances: Executor, asks: Witness = pingWitness()): Probe {
  return async (check, signal) => {
    const began = performance.now();
    const outcome = await once(instances, check, signal);
    if (outcome.kind !== "failed" || outcome.silent !== true) return outcome;
    const { timeout } = check.timers;
    const late = performance.now() - began - timeout;
    if (late > Math.max(LATE, timeout / 2)) return { kind: "unknown", why: "this server is too busy to tell" };
    const { witness } = check;
    if (witness === undefined || (await asks(witness.toString())) !== false) return outcome;
    return { kind: "unknown", why: `no way to its network: its router ${witness.toString()} does not answer either` };
  };
}

/** Milliseconds: a timer that is so late was kept from running, and so may the answer have been. */
const LATE = 500;

async function once(instances: Executor, check: Check, signal: AbortSignal): Promise<Outcome> {
  const { target, timers, address } = check;
  if (target.kind === "exec")
    return await probeExec(instances, { ...check, command: target.command }, timers.timeout, signal);
  if (address === undefined) return { kind: "unknown", why: "no address of it is known that this server can reach" };
  const host = address.toString();
  const limit = AbortSignal.timeout(timers.timeout);
  const both = AbortSignal.any([limit, signal]);
  try {
    if (target.kind === "http") return await probeHttp(target, host, both);
    if (target.kind === "dns") return await probeDns(target, host, timers.timeout);
    await probeTcp(host, target.port, both);
    return { kind: "passed" };
  } catch (error) {
    signal.throwIfAborted();
    return limit.aborted ? NO_ANSWER : judge(error as NodeJS.ErrnoException);
  }
}

const NO_ANSWER: Outcome = { kind: "failed", why: "no answer in time", silent: true };

/** This server, or the way, and not the instance. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EACCES",
  "EPERM",
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EINVAL",
  "ENETDOWN",
  "ENETUNREACH",
]);
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "host unreachable",
  ETIMEDOUT: "no answer in time",
};

function judge(error: NodeJS.ErrnoException): Outcome {
  const code = error.code ?? /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? "";
  const why = REASONS[code] ?? error.message;
  if (OWN_FAULTS.has(code)) return { kind: "unknown", why: `this server cannot check it: ${error.message}` };
  if (code === "EHOSTUNREACH" || code === "ETIMEDOUT") return { kind: "failed", why, silent: true };
  // Of DNS, what is neither is no answer or no DNS.
  if (error instanceof ExchangeError && error.message.endsWith("did not answer in time")) return NO_ANSWER;
  return { kind: "failed", why };
}
