import { createHash } from "node:crypto";
import { type Archive, ZoneError, packZone, unpackZone } from "@trivet/dns";
import * as z from "zod";

/** A zone as it was answered, with its journal, and the hash of its content. */
export interface SavedZone extends Archive {
  readonly hash: string;
}

const schema = z.strictObject({
  /** Of the archives: another agent's may have another form. */
  format: z.literal(1),
  /** Milliseconds since 1970. */
  savedAt: z.number(),
  zones: z.array(z.strictObject({ hash: z.string(), archive: z.base64(), sha256: z.string() })),
});

export function writeZones(zones: readonly SavedZone[], now: number): string {
  const entries = zones.map(({ hash, ...archive }) => {
    const bytes = packZone(archive);
    return { hash, archive: Buffer.from(bytes).toString("base64"), sha256: sha256(bytes) };
  });
  return JSON.stringify({ format: 1, savedAt: now, zones: entries } satisfies z.input<typeof schema>);
}

/**
 * What {@link writeZones} wrote.
 *
 * @param maxAge milliseconds after which zones are too old to answer
 * @returns nothing of a text that is not of its form, or too old: all of it can be made anew, but for the journals
 */
export function readZones(text: Buffer | undefined, now: number, maxAge: number): SavedZone[] {
  if (text === undefined) return [];
  try {
    const { savedAt, zones } = schema.parse(JSON.parse(text.toString("utf8")));
    if (now - savedAt > maxAge) return [];
    return zones.flatMap(({ hash, archive, sha256: sum }) => {
      const bytes = Uint8Array.from(Buffer.from(archive, "base64"));
      return sha256(bytes) === sum ? [{ hash, ...unpackZone(bytes) }] : [];
    });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || error instanceof ZoneError) return [];
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}
