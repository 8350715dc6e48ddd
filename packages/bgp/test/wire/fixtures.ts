import { readFileSync } from "node:fs";
import type { WireContext } from "../../src/wire/index.ts";
import { extendedNextHop, hex, twoOctet } from "./bytes.ts";

/** What one real speaker sent on one session (see the file's first line, and `scripts/capture-bgp.ts`). */
export interface Recording {
  readonly speaker: "frr" | "bird" | "gobgp";
  readonly session: string;
  readonly context: WireContext;
  readonly messages: readonly Uint8Array[];
}

const SPEAKERS = ["frr", "bird", "gobgp"] as const;
const CONTEXTS: Readonly<Record<string, WireContext>> = {
  today: { ...extendedNextHop, maxReceive: 65535 },
  "two-octet": twoOctet,
  internal: { ...extendedNextHop, peering: "internal", maxReceive: 65535 },
};

export const recordings: readonly Recording[] = SPEAKERS.flatMap((speaker) => {
  const text = readFileSync(new URL(`./fixtures/${speaker}.hex`, import.meta.url), "utf8");
  return text
    .split("# session: ")
    .slice(1)
    .map((section) => {
      const [session = "", ...lines] = section.trim().split("\n");
      const context = CONTEXTS[session];
      if (context === undefined) throw new Error(`${speaker}.hex has a session ${session}`);
      return { speaker, session, context, messages: lines.map(hex) };
    });
});
