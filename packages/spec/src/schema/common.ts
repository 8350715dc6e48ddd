import * as z from "zod";
import { Address, AddressError, type InterfaceAddress, Prefix, parseInterface } from "@trivet/ip";

/** The schema of text that `parse` reads; what it throws becomes the diagnostic. */
function parsed<T>(parse: (text: string) => T, example: string) {
  return z
    .string()
    .meta({ examples: [example] })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof AddressError)) throw error;
        context.addIssue({ code: "custom", message: `${error.message}; write it like ${example}` });
        return z.NEVER;
      }
    });
}

export const address = parsed((text) => Address.parse(text), "2001:db8::1");
export const prefix = parsed((text) => Prefix.parse(text), "2001:db8::/48");
export const interfaceAddress = parsed((text): InterfaceAddress => parseInterface(text), "2001:db8::1/64");
/** An address (meaning just that one) or a prefix. */
export const route = parsed(
  (text) => (text.includes("/") ? Prefix.parse(text) : Prefix.host(Address.parse(text))),
  "192.0.2.7",
);

export const linkLocal = parsed((text) => Address.parse(text), "fe80::1").refine(
  (value) => value.family === 6 && value.isLinkLocal,
  "is no IPv6 link-local address; write one in fe80::/10",
);

const NAME = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
/** A name that is also a DNS label. */
export const name = z
  .string()
  .regex(NAME, "is no name; use letters, digits and inner hyphens, at most 63")
  .meta({ examples: ["server-1"] });
/** A name in the provider's or the field's style, such as INFRA-UPLINK or lxd_ssd. */
export const label = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, "is no name; use letters, digits, - _ and ., at most 63");
export const domainName = z
  .string()
  .regex(
    /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?$/i,
    "is no domain name; write it like example.net",
  )
  .meta({ examples: ["example.net"] })
  .transform((text) => text.replace(/\.$/, "").toLowerCase());
export const interfaceName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9._-]{0,14}$/,
    "is no interface name; Linux allows 15 characters: letters, digits, - _ and .",
  );
export const mac = z
  .string()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, "is no MAC address; write it like 52:54:00:12:34:56")
  .transform((text) => text.toLowerCase());
/** PROJECT/INSTANCE. */
export const instanceRef = z
  .string()
  .regex(/^[\w.-]+\/[\w-]+$/, "names no instance; write PROJECT/INSTANCE")
  .meta({ examples: ["infra/ns01"] });

const UNITS: Record<string, number> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};
/** A quantity of bytes. */
export const bytes = z
  .string()
  .regex(/^\d+(\.\d+)? ?[KMGT]i?B$/i, "is no size; write it like 64GiB or 500GB")
  .meta({ examples: ["64GiB"] })
  .transform((text) => {
    const [, count = "0", unit = ""] = /^([\d.]+) ?(\w*)$/.exec(text) ?? [];
    return Math.round(Number(count) * (UNITS[unit.toUpperCase()] ?? 1));
  });
/** A link speed, in Mbit/s. */
export const speed = z
  .string()
  .regex(/^\d+(\.\d+)?[MG]$/, "is no speed; write it like 1G, 2.5G or 100M")
  .meta({ examples: ["10G"] })
  .transform((text) => Number.parseFloat(text) * (text.endsWith("G") ? 1000 : 1));

export const asn = z.int().min(1).max(4_294_967_294);
export const port = z.int().min(1).max(65_535);
export const mtu = z.int().min(1280).max(65_535);

/** Where a secret is kept; the secret itself is never in the file. */
export const secret = z
  .union([
    z.strictObject({ file: z.string().min(1).describe("A file that holds the secret, relative to this one.") }),
    z.strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_]\w*$/, "is no variable name; write it like BGP_PASSWORD")
        .describe("An environment variable that holds the secret."),
    }),
    z.strictObject({
      age: z
        .string()
        .min(1)
        .describe("A file encrypted with age; the identity is read from the file named in TRIVET_AGE_IDENTITY."),
    }),
  ])
  .meta({ id: "secret", secret: true });
export type SecretRef = z.output<typeof secret>;
