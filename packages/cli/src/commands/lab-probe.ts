import { buildCommand } from "@stricli/core";
import type { ProbeReport } from "@trivet/lab";
import type { Context } from "../context.ts";
import { jsonFlag, labFlag } from "../flags.ts";
import { table } from "../table.ts";

/** Of every terminal since the VT220: the screen for full-screen programs, and back; to the top, and what is below erased. */
const OTHER_SCREEN = "\u001B[?1049h";
const OWN_SCREEN = "\u001B[?1049l";
const HOME = "\u001B[H\u001B[J";

interface Flags {
  readonly name: string;
  readonly interval?: number;
  readonly duration?: number;
  readonly json: boolean;
}

export const probe = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Sends continuous flows to every service and tells what is lost, and for how long",
    fullDescription:
      "From the client host, beyond the providers: DNS to the anycast name servers, ICMP to the web servers and the mail server;\n" +
      "from the servers' network: ICMP to their gateway. Ctrl-C ends it with the report. Exit 0 nothing was lost, 1 something was.",
  },
  parameters: {
    flags: {
      name: labFlag,
      interval: {
        kind: "parsed",
        parse: Number,
        brief: "Milliseconds between two probes of a flow; 10, or more where there are many flows, unless told",
        placeholder: "ms",
        optional: true,
      },
      duration: {
        kind: "parsed",
        parse: seconds,
        brief: "Seconds; until Ctrl-C unless told",
        placeholder: "s",
        optional: true,
      },
      json: jsonFlag,
    },
  },
  async func({ name, interval, duration, json }) {
    const { Lab, requireLab, startProbe } = await import("@trivet/lab");
    requireLab();
    const probe = await startProbe(Lab.open(name), interval === undefined ? {} : { interval });
    const live = !json && this.process.stdout.isTTY === true;
    const screen = (text: string): void => void this.process.stdout.write(text);
    if (live) probe.events.on("report", (report) => screen(`${HOME}${view(report, this.paint)}\n`));
    if (live) screen(OTHER_SCREEN);
    try {
      await new Promise<void>((resolve) => {
        process.once("SIGINT", resolve);
        process.once("SIGTERM", resolve);
        probe.events.once("failed", () => resolve());
        if (duration !== undefined) setTimeout(resolve, duration * 1000);
      });
    } finally {
      if (live) screen(OWN_SCREEN);
    }
    const report = await probe.stop();
    if (report.lost > 0) this.exit(1);
    if (json) return this.printJson(report);
    this.print(view(report, this.paint));
  },
});

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--duration ${text}: use a number of seconds above 0`);
  return value;
}

function view(report: ProbeReport, paint: Context["paint"]): string {
  const rows = report.flows.map(({ name, target, sent, lost, longestGap, answers }) => [
    name,
    target,
    String(sent),
    lost > 0 ? paint("red", String(lost)) : "0",
    longestGap === null ? "-" : `${longestGap.milliseconds} ms`,
    longestGap === null ? "-" : longestGap.start.slice(11, 23),
    Object.entries(answers)
      .map(([instance, count]) => `${instance} ${count}`)
      .join(", ") || "nobody",
  ]);
  const { sent, lost, seconds, resolution, cpu } = report;
  const sums = `${sent} probes in ${seconds} s, ${lost} lost, resolution ${resolution} ms, ${Math.round(cpu * 100)} % of a processor`;
  return `${table(["FLOW", "TARGET", "SENT", "LOST", "LONGEST GAP", "AT (UTC)", "ANSWERED BY"], rows)}\n${sums}`;
}
