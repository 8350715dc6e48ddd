import { parseCommunity, parseLargeCommunity } from "@trivet/bgp";
import { Address, Prefix, parseScoped } from "@trivet/ip";
import * as z from "zod";

/** Text that a parser of ours understands; what it throws becomes the diagnostic. */
export function parsed<T>(parse: (text: string) => T, remedy: string) {
  return z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Error) || (error as { fault?: unknown }).fault !== "input") throw error;
      context.addIssue({ code: "custom", message: `${error.message}; ${remedy}`, input: text });
      return z.NEVER;
    }
  });
}

export const prefix = () => parsed((text) => Prefix.parse(text), "write it as 203.0.113.0/24 or 2001:db8::/32");

export const address = () => parsed((text) => Address.parse(text).toString(), "write an IPv4 or IPv6 address");

export const ipv4Address = () =>
  address().refine((text) => text.includes("."), "must be an IPv4 address; write one, as 192.0.2.1");

function isLinkLocal(text: string): boolean {
  const { address } = parseScoped(text);
  return address.family === 6 && address.isLinkLocal;
}

/** An address that may need its interface: `fe80::1%br-mesh`. */
export const scopedAddress = () =>
  parsed((text) => {
    const { address, zone } = parseScoped(text);
    return zone === undefined ? address.toString() : `${address.toString()}%${zone}`;
  }, "write an IPv4 or IPv6 address").refine((text) => text.includes("%") || !isLinkLocal(text), {
    message: "is link-local and needs its interface; write it as fe80::1%br-uplink",
    abort: true,
  });

/** An address that means the same on every server. */
export const sharedAddress = () =>
  address().refine((text) => !isLinkLocal(text), {
    message: "is link-local, and so no address of a server to others; write one that they reach",
  });

export const community = () =>
  parsed(parseCommunity, 'write it as "65010:100", in quotes, or a well-known name as no-export');

export const largeCommunity = () => parsed(parseLargeCommunity, 'write it as "65010:1:2", in quotes');

export const asn = () => z.int().min(1).max(4_294_967_294);

export const port = () => z.int().min(1).max(65_535);

/** Seconds, as people write durations in the file. */
export const seconds = (min: number, max: number) => z.number().min(min).max(max);
