import { type RouteAttributes, parseCommunity, parseLargeCommunity } from "@trivet/bgp";
import type { Config } from "@trivet/lxd";
import { printable } from "../health/printable.ts";
import type { Problem } from "./candidate.ts";

const PREFIX = "user.trivet.announce";

/** What an instance or network says about its own routes, in its `user.trivet.announce*` keys. */
export interface UserKeys {
  /** `user.trivet.announce`: false keeps all of its routes back. */
  readonly announce: boolean;
  /** `user.trivet.announce.addresses`: overrides the configuration's `addresses` for one instance. */
  readonly addresses?: boolean;
  /** `.med`, `.local-pref`, `.communities`, `.large-communities`; each replaces what the configuration says. */
  readonly attributes?: RouteAttributes;
  readonly problems: readonly Problem[];
}

/** Reads the keys; a wrong value is a {@link Problem} and counts as absent. */
export function readUserKeys(config: Config, source: Problem["source"]): UserKeys {
  const mine = Object.entries(config).filter(([key]) => key === PREFIX || key.startsWith(`${PREFIX}.`));
  if (mine.length === 0) return DEFAULTS;
  let announce = true;
  let addresses: boolean | undefined;
  const attributes: RouteAttributes = {};
  const problems: Problem[] = [];
  for (const [key, value] of mine) {
    try {
      const name = key.slice(PREFIX.length + 1);
      if (name === "") announce = bool(value);
      else if (name === "addresses") addresses = bool(value);
      else Object.assign(attributes, attribute(name, value));
    } catch (error) {
      if (!(error instanceof Error) || (error as { fault?: unknown }).fault !== "input") throw error;
      problems.push({ source, key, value: printable(value), why: printable(error.message) });
    }
  }
  return {
    announce,
    problems,
    ...(addresses === undefined ? {} : { addresses }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

const DEFAULTS: UserKeys = { announce: true, problems: [] };

class KeyError extends Error {
  override readonly name = "KeyError";
  readonly fault = "input";
}

function attribute(name: string, value: string): RouteAttributes {
  switch (name) {
    case "med":
      return { med: number(value) };
    case "local-pref":
      return { localPref: number(value) };
    case "communities":
      return { communities: few(value).map(parseCommunity) };
    case "large-communities":
      return { largeCommunities: few(value).map(parseLargeCommunity) };
    default:
      throw new KeyError(
        "no such key; there are announce, and announce.addresses, .med, .local-pref, .communities, .large-communities",
      );
  }
}

function bool(value: string): boolean {
  // The words LXD itself takes for booleans.
  const word = value.toLowerCase();
  if (["true", "1", "yes", "on"].includes(word)) return true;
  if (["false", "0", "no", "off", ""].includes(word)) return false;
  throw new KeyError("must be true or false");
}

function number(value: string): number {
  if (!/^\d{1,10}$/.test(value) || Number(value) > 0xffff_ffff)
    throw new KeyError("must be a number from 0 to 4294967295");
  return Number(value);
}

/** Of each kind: with 4 and 12 octets each they fill a quarter of the smallest UPDATE, and leave room for what others add. */
const MOST = 64;

function few(value: string): string[] {
  const parts = list(value);
  if (parts.length > MOST) throw new KeyError(`has ${parts.length} communities; at most ${MOST} may stand here`);
  return parts;
}

/** The parts of a comma-separated value. */
export function list(value: string): string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
