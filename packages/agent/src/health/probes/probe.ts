import { ExchangeError } from "@trivet/dns";
import type { Check } from "../plan.ts";
import { printable } from "../printable.ts";
import type { Outcome } from "../state.ts";
import { BUSY, isLate } from "./busy.ts";
import { probeDns } from "./dns.ts";
import { EXEC_EXTRA, type Executor, probeExec } from "./exec.ts";
import { probeHttp } from "./http.ts";
import { probeTcp } from "./tcp.ts";
import { type Witness, pingWitness } from "./witness.ts";

/** Runs a check once. The signal ends it without an outcome. */
export type Probe = (check: Check, signal: AbortSignal) => Promise<Outcome>;

/**
 * Checks real instances. Whatever the other side does, it ends by the check's timeout (`exec` some seconds later). A check without an
 * answer has not failed if the router on the way does not answer either.
 *
 * @throws what only a bug of ours throws, and the signal's reason
 */
export function systemProbe(instances: Executor, asks: Witness = pingWitness()): Probe {
  return async (check, signal) => {
    const outcome = await judged(instances, asks, check, signal);
    return outcome.kind === "passed" ? outcome : { ...outcome, why: printable(outcome.why) };
  };
}

async function judged(instances: Executor, asks: Witness, check: Check, signal: AbortSignal): Promise<Outcome> {
  const { target, timers, witness } = check;
  const began = performance.now();
  const outcome = await once(instances, check, signal);
  if (outcome.kind !== "failed" || outcome.silent !== true) return outcome;
  if (target.kind !== "exec" && isLate(performance.now() - began - timers.timeout, timers.timeout)) return BUSY;
  if (witness === undefined || (await asks(witness.toString())) !== false) return outcome;
  return { kind: "unknown", why: `no way to its network: its router ${witness.toString()} does not answer either` };
}

/** For the DNS client, whose own deadline can tell more. */
const DNS_EXTRA = 100;

async function once(instances: Executor, check: Check, signal: AbortSignal): Promise<Outcome> {
  const { target, timers, nowhere = "no address of it is known that this server can reach" } = check;
  const host = check.address?.toString();
  if (target.kind !== "exec" && host === undefined) return { kind: "unknown", why: nowhere };
  const extra = target.kind === "exec" ? EXEC_EXTRA : target.kind === "dns" ? DNS_EXTRA : 0;
  let limit: AbortSignal | undefined;
  try {
    limit = AbortSignal.timeout(Math.ceil(timers.timeout) + extra);
    const both = AbortSignal.any([limit, signal]);
    return await Promise.race([attempt(instances, check, host ?? "", both), aborted(both)]);
  } catch (error) {
    signal.throwIfAborted();
    if (limit?.aborted !== true) return judge(error);
    return target.kind === "exec" ? { kind: "unknown", why: "LXD does not answer" } : NO_ANSWER;
  }
}

async function attempt(instances: Executor, check: Check, host: string, signal: AbortSignal): Promise<Outcome> {
  const { target, timers } = check;
  switch (target.kind) {
    case "exec":
      return await probeExec(instances, { ...check, command: target.command }, timers.timeout, signal);
    case "http":
      return await probeHttp(target, host, signal);
    case "dns":
      return await probeDns(target, host, timers.timeout);
    case "tcp":
      await probeTcp(host, target.port, signal);
      return { kind: "passed" };
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
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
/** What Node throws when it is used wrongly: that is this agent's fault, never the instance's. */
const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError];

function judge(error: unknown): Outcome {
  if (!(error instanceof Error) || BUGS.some((kind) => error instanceof kind)) throw error;
  const code = (error as NodeJS.ErrnoException).code ?? /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? "";
  const why = REASONS[code] ?? error.message;
  if (OWN_FAULTS.has(code)) return { kind: "unknown", why: `this server cannot check it: ${error.message}` };
  if (code === "EHOSTUNREACH" || code === "ETIMEDOUT") return { kind: "failed", why, silent: true };
  // Of DNS, what is neither is no answer or no DNS.
  if (error instanceof ExchangeError && error.message.endsWith("did not answer in time")) return NO_ANSWER;
  return { kind: "failed", why };
}
