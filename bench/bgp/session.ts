import type { Family } from "@trivet/ip";

/** Who talks to whom: the speaker under test at .1, one sink after the other at .2 and up, each a peer of its own. */
export const SPEAKER_AS = 64500;
export const SINK_AS = 64501;
export const SINKS = 10;

export function speakerAddress(family: Family): string {
  return family === 4 ? "192.0.2.1" : "2001:db8::1";
}

export function sinkAddress(family: Family, index: number): string {
  return family === 4 ? `192.0.2.${2 + index}` : `2001:db8::${(2 + index).toString(16)}`;
}

export function sinkAddresses(family: Family): string[] {
  return Array.from({ length: SINKS }, (_, i) => sinkAddress(family, i));
}
