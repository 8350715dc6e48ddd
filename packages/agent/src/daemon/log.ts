import { type Logger, destination, pino } from "pino";

export type { Logger } from "pino";

/** One JSON object a line on standard output, where journald takes it; secrets are not among what is logged, and cut out if they were. */
export function createLogger(level: string, version: string): Logger {
  return pino(
    {
      level,
      base: { version },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: { paths: ["password", "*.password", "*.*.password", "key", "*.key"], censor: "(hidden)" },
    },
    // Synchronous: what the agent says last must not be lost when it ends.
    destination({ fd: 1, sync: true }),
  );
}
