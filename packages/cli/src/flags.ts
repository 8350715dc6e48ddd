/** Flags that several commands share, so that they are spelt and explained the same everywhere. */

export const jsonFlag = { kind: "boolean", brief: "Print JSON instead of text", default: false } as const;

export const socketFlag = {
  kind: "parsed",
  parse: String,
  brief: "The agent's unix socket (default /run/trivet/agent.sock)",
  placeholder: "path",
  optional: true,
} as const;

export const labFlag = {
  kind: "parsed",
  parse: String,
  brief: "The lab's name",
  placeholder: "lab",
  default: "lab",
} as const;
