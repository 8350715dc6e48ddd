import * as z from "zod";
import { parseTarget } from "../health/target.ts";
import { parsed, seconds } from "./scalars.ts";

const period = () => seconds(0.1, 3_600);
const count = () => z.int().min(1).max(100);

const timers = {
  interval: period(),
  fast: period(),
  timeout: seconds(0.1, 60),
  rise: count(),
  fall: count(),
};

const check = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, "has other characters than a name may, or more than 40; write it with a-z, 0-9 and -")
    .describe("How it is called in metrics and logs"),
  instances: z
    .array(z.string().regex(/^[^/\s]+\/[^/\s]+$/, "has no project, or no name; write it as PROJECT/NAME"))
    .min(1)
    .describe("Which instances it checks, as `PROJECT/NAME`, where `*` stands for any characters"),
  check: parsed((text) => {
    parseTarget(text);
    return text;
  }, "see docs/health.md").describe("`http://…`, `https://…`, `tcp://…`, `dns://…` or `exec:…`; see health.md"),
  interval: timers.interval.optional().describe("Replaces `health.interval`"),
  fast: timers.fast.optional().describe("Replaces `health.fast`"),
  timeout: timers.timeout.optional().describe("Replaces `health.timeout`"),
  rise: timers.rise.optional().describe("Replaces `health.rise`"),
  fall: timers.fall.optional().describe("Replaces `health.fall`"),
});

/** The part of agent.yaml on health checks. Instances say most themselves, in `user.trivet.check`. */
export const healthSchema = z.strictObject({
  interval: timers.interval.default(5).describe("Seconds from one check of an instance to the next"),
  fast: timers.fast.default(1).describe("The same while a change is under way"),
  timeout: timers.timeout.default(2).describe("Seconds after which a check without an answer has failed"),
  rise: timers.rise.default(2).describe("Passed checks in a row after which a service is announced"),
  fall: timers.fall.default(3).describe("Failed checks in a row after which it is withdrawn"),
  checks: z
    .array(check)
    .default([])
    .describe("Checks of many instances at once, beside those that instances say themselves"),
});
