import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { agentsStep } from "./build/agents.ts";
import { bmcStep } from "./build/bmc.ts";
import { cephStep } from "./build/ceph.ts";
import { clusterStep } from "./build/cluster.ts";
import { imageStep, routersStep, servicesStep } from "./build/instances.ts";
import { readyStep } from "./build/ready.ts";
import { networksStep } from "./build/networks.ts";
import { ovnStep, switchStep } from "./build/ovn.ts";
import { providersStep } from "./build/providers.ts";
import { serversStep } from "./build/servers.ts";
import { rootImageStep } from "./build/root-image.ts";
import type { Step } from "./build/step.ts";
import { Lab } from "./runtime/lab.ts";
import { LabError } from "./runtime/lab-error.ts";
import type { LabOptions } from "./topology/topology.ts";

/** A step of `up` that failed: which, why, and where more is written. */
export class StepError extends Error {
  override readonly name = "StepError";
  readonly fault = "world";
  readonly step: string;

  constructor(step: string, logs: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${step}: ${why}; logs: ${logs}; \`trivet lab up\` tries again from here`, { cause });
    this.step = step;
  }
}

/** What `up` tells while it works. */
export interface UpProgress {
  readonly step: (title: string, run: (line: (text: string) => void) => Promise<void>) => Promise<void>;
}

const SILENT: UpProgress = { step: async (_title, run) => await run(() => undefined) };

/**
 * Makes a lab, or completes one that was interrupted or has crashed: what is already there is kept, servers that are off are powered
 * on. A bare lab, or one without Ceph, gets the rest when the options have it.
 *
 * @throws LabError when a lab of that name exists with other options
 * @throws StepError when a step fails
 */
export async function up(options: LabOptions, progress: UpProgress = SILENT): Promise<Lab> {
  const found = Lab.find(options.name) ?? Lab.create(options);
  const { bare, ceph } = found.topology.options;
  const more = (bare && !options.bare) || (!ceph && options.ceph);
  const lab = more ? found.furnish({ bare: bare && options.bare, ceph: ceph || options.ceph }) : found;
  const existing = lab.topology.options;
  const keys: (keyof LabOptions)[] = ["platform", "servers", "ceph"];
  const other = [
    ...keys.filter((key) => existing[key] !== options[key]),
    ...(isDeepStrictEqual(existing.plan, options.plan) ? [] : ["cluster.yaml"]),
  ];
  if (other.length > 0)
    throw new LabError(
      `lab ${lab.name} exists with another ${other.join(", ")}`,
      "`trivet lab down` removes it, or choose another --name",
    );
  for (const step of steps(existing)) {
    if (step.always !== true && lab.isDone(step.key)) continue;
    await progress.step(step.title, async (line) => await runStep(lab, step, line));
  }
  return lab;
}

function steps({ bare, ceph }: LabOptions): Step[] {
  const machine = [rootImageStep, serversStep, bmcStep, providersStep];
  const cluster = [switchStep, ovnStep, clusterStep, networksStep, imageStep, routersStep, servicesStep, agentsStep];
  return bare ? machine : [...machine, ...cluster, ...(ceph ? [cephStep] : []), readyStep];
}

async function runStep(lab: Lab, step: Step, line: (text: string) => void): Promise<void> {
  const started = performance.now();
  const log = (text: string): void => {
    appendFileSync(join(lab.places.logs, "up.log"), `${new Date().toISOString()} ${step.key}: ${text}\n`);
  };
  try {
    await step.run(lab, (text) => {
      log(text);
      line(text);
    });
    lab.markDone(step.key);
    log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    log(String(error));
    throw new StepError(step.title, lab.places.logs, error);
  }
}
