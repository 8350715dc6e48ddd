import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { instanceImage } from "../image/instance-image.ts";
import { serverImage } from "../image/server-image.ts";
import type { Lab } from "../runtime/lab.ts";
import { type InstancePlan, projects, routers, services } from "../topology/workload.ts";
import { patiently } from "./patiently.ts";
import { TOOL } from "./platform.ts";
import type { Step } from "./step.ts";

/** The image all instances are made from, and the projects they live in. */
export const imageStep: Step = {
  key: "image",
  title: "Instance image",
  async run(lab) {
    const { client } = TOOL[lab.topology.options.platform];
    const image = await instanceImage(await serverImage(lab.topology.suite));
    copyFileSync(image, join(lab.places.folder, "shared", "instance.tar"));
    await lab.first.sh(
      `${client} image alias list -f csv | grep -q '^trivet,' || ${client} image import /srv/lab/instance.tar --alias trivet`,
    );
    for (const project of projects(lab.topology)) {
      const features = ["images", "profiles", "networks"].map((feature) => `-c features.${feature}=false`).join(" ");
      await lab.first.sh(
        `${client} project list -f csv | grep -q '^${project}[ ,]' || ${client} project create ${project} ${features}`,
      );
    }
  },
};

export const routersStep: Step = {
  key: "routers",
  title: "FRR routers as instances, one on every server",
  run: async (lab, progress) => await launchAll(lab, routers(lab.topology), progress),
};

export const servicesStep: Step = {
  key: "services",
  title: "Services",
  run: async (lab, progress) => await launchAll(lab, services(lab.topology), progress),
};

async function launchAll(lab: Lab, plans: readonly InstancePlan[], progress: (line: string) => void): Promise<void> {
  // One server's instances one after the other: each unpacks an image.
  await Promise.all(
    lab.servers.map(async (server) => {
      for (const plan of plans.filter((p) => p.server === server.name))
        await patiently(async () => await launch(lab, plan), progress);
    }),
  );
}

async function launch(lab: Lab, plan: InstancePlan): Promise<void> {
  const { client, create } = TOOL[lab.topology.options.platform];
  const server = lab.server(plan.server);
  const instance = `${client} --project ${plan.project}`;
  const { config, devices } = plan;
  const definition = JSON.stringify({ config, devices });
  await server.sh(`
    state=$(${instance} list '^${plan.name}$' -f csv -c s)
    [ -n "$state" ] || ${instance} -q ${create} trivet ${plan.name} --target ${plan.server} <<'END'
${definition}
END
  `);
  for (const [path, content] of Object.entries(plan.files)) {
    const argv = [client, "--project", plan.project, "file", "push", "-p", "--mode=0644", "-", `${plan.name}/${path}`];
    await server.exec(argv, { input: content });
  }
  await server.sh(`[ "$(${instance} list '^${plan.name}$' -f csv -c s)" = RUNNING ] || ${instance} start ${plan.name}`);
}
