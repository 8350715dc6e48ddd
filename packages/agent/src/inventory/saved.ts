import * as z from "zod";
import type { Learnt } from "./snapshot.ts";

const byDevice = z.record(z.string(), z.array(z.string()));
const schema = z.record(z.string(), z.strictObject({ leased: byDevice.optional(), reported: byDevice.optional() }));

/** What {@link writeLearnt} wrote; nothing of a text that is not of its form, because all of it can be learnt again. */
export function parseLearnt(text: Buffer | undefined): ReadonlyMap<string, Learnt> {
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(schema.parse(JSON.parse(text.toString("utf8"))) as Record<string, Learnt>));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return new Map();
    throw error;
  }
}

/** What was learnt of instances, by their keys, as text. */
export function writeLearnt(learnt: ReadonlyMap<string, Learnt>): string {
  return JSON.stringify(Object.fromEntries(learnt));
}
