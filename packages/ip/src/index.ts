/** Addresses, prefixes and prefix sets of both IP families. */
export { Address, type Family, type ScopedAddress, WIDTH, compareBytes, parseScoped } from "./address.ts";
export { AddressError } from "./error.ts";
export { type InterfaceAddress, Prefix, parseInterface } from "./prefix.ts";
export { PrefixSet, aggregate, rangeToPrefixes } from "./prefix-set.ts";
