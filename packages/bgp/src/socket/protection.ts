import { SocketError } from "@trivet/sockopt";
import { NetworkError, type SocketProtection } from "../network.ts";

export const MAX_HOPS = 255;

export function isProtected({ password, ttlSecurity }: SocketProtection): boolean {
  return password !== undefined || ttlSecurity !== undefined;
}

/** RFC 5082 §3: sent with 255, so what arrives with less has come over routers. */
export function hopLimits(hops: number): { hopLimit: number; minHopLimit: number } {
  return { hopLimit: MAX_HOPS, minHopLimit: MAX_HOPS + 1 - hops };
}

export function attempt<T>({ address }: { readonly address: string }, action: () => T): T | NetworkError {
  try {
    return action();
  } catch (error) {
    if (error instanceof SocketError) return new NetworkError(`${address}: ${error.message}`, { cause: error });
    throw error;
  }
}
