/** Flags that several commands share, so that they are spelt and explained the same everywhere. */

class EmptyFlagError extends Error {
  override readonly name = "EmptyFlagError";
  readonly fault = "input";

  constructor(remedy: string) {
    super(`is empty; ${remedy}`);
  }
}

export const jsonFlag = { kind: "boolean", brief: "Print JSON instead of text", default: false } as const;

export const socketFlag = {
  kind: "parsed",
  parse: (path: string): string => {
    if (path === "") throw new EmptyFlagError("give the socket's path, or leave it out for the default");
    return path;
  },
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
