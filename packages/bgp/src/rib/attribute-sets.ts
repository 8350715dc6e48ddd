import { type Address, type Family } from "@trivet/ip";
import { type Route, type RouteAttributes, RouteError } from "../route.ts";
import { Counted } from "./counted.ts";

/** What routes have in common that travel in one UPDATE. */
export interface AttributeSet {
  readonly family: Family;
  readonly nextHop: Address | undefined;
  readonly attributes: RouteAttributes;
}

const NONE: RouteAttributes = {};
const MAX_U32 = 0xffff_ffff;

/** The attribute sets in use, each once: routes refer to them by number. */
export class AttributeSets {
  readonly #ids = new Map<string, number>();
  readonly #sets: Counted<{ readonly set: AttributeSet; readonly key: string }>;
  readonly #keys = new WeakMap<RouteAttributes, string>();
  /** Neighbouring routes mostly share attributes and next hop. */
  #last:
    | {
        readonly attributes: RouteAttributes;
        readonly nextHop: Address | undefined;
        readonly family: Family;
        readonly id: number;
      }
    | undefined;

  /** @param forgotten is told when no route has the set any more */
  constructor(forgotten: (id: number) => void) {
    this.#sets = new Counted((id, { key }) => {
      this.#ids.delete(key);
      if (this.#last?.id === id) this.#last = undefined;
      forgotten(id);
    });
  }

  /** @throws RouteError */
  intern({ prefix, nextHop, attributes = NONE }: Route): number {
    const { family } = prefix;
    const last = this.#last;
    if (last !== undefined && last.attributes === attributes && last.nextHop === nextHop && last.family === family)
      return last.id;
    const key = `${family} ${nextHop?.toString() ?? "self"} ${this.#keyOf(attributes, prefix.toString())}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      if (family === 6 && nextHop?.family === 4)
        throw new RouteError(prefix.toString(), `has the IPv4 next hop ${nextHop.toString()}; IPv6 needs an IPv6 one`);
      this.#ids.set(key, (id = this.#sets.add({ set: { family, nextHop, attributes }, key })));
    }
    this.#last = { attributes, nextHop, family, id };
    return id;
  }

  get(id: number): AttributeSet | undefined {
    return this.#sets.get(id)?.set;
  }

  retain(id: number): void {
    this.#sets.retain(id);
  }

  release(id: number): void {
    this.#sets.release(id);
  }

  /** How many are in use. */
  get size(): number {
    return this.#ids.size;
  }

  #keyOf(attributes: RouteAttributes, prefix: string): string {
    let key = this.#keys.get(attributes);
    if (key === undefined) {
      check(attributes, prefix);
      this.#keys.set(attributes, (key = canonical(attributes)));
    }
    return key;
  }
}

/** Text that is equal exactly when the attributes mean the same: communities are sets (RFC 1997). */
function canonical(a: RouteAttributes): string {
  return [
    a.origin ?? "igp",
    a.asPath?.join(",") ?? "",
    a.prepend ?? 0,
    a.med ?? "",
    a.localPref ?? "",
    a.communities?.toSorted((x, y) => x - y).join(",") ?? "",
    a.largeCommunities
      ?.map((c) => c.join(":"))
      .toSorted()
      .join(",") ?? "",
    a.extendedCommunities?.map(String).toSorted().join(",") ?? "",
    a.atomicAggregate ?? false,
    a.aggregator === undefined ? "" : `${a.aggregator.asn}@${a.aggregator.address.toString()}`,
    a.unknown?.map((u) => `${u.type}${u.partial ? "p" : ""}=${Buffer.from(u.value).toString("hex")}`).join(",") ?? "",
  ].join("|");
}

function check(attributes: RouteAttributes, prefix: string): void {
  const { med, localPref, prepend = 0, communities = [], largeCommunities = [], asPath = [] } = attributes;
  const number = (name: string, value: number | undefined): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= MAX_U32))
      throw new RouteError(prefix, `has ${name} ${value}; it must be a whole number from 0 to ${MAX_U32}`);
  };
  number("MED", med);
  number("local preference", localPref);
  for (const community of communities) number("community", community);
  for (const part of largeCommunities.flat()) number("a large community with", part);
  for (const asn of asPath) number("AS", asn);
  if (!(Number.isInteger(prepend) && prepend >= 0 && prepend <= 250))
    throw new RouteError(prefix, `has prepend ${prepend}; it must be from 0 to 250`);
}
