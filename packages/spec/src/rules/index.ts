import type { Context } from "../context.ts";
import type { Cluster } from "../model.ts";
import { checkAddresses } from "./addresses.ts";
import { checkCompute } from "./compute.ts";
import { checkHardware } from "./hardware.ts";
import { checkRouting } from "./routing.ts";
import { checkServices } from "./services.ts";
import { checkStorage } from "./storage.ts";
import { checkVlans } from "./vlans.ts";

/** Reports what contradicts itself across layers. What makes a cluster weak, not wrong, is for `@trivet/audit`. */
export function checkRules(context: Context, cluster: Cluster): void {
  checkHardware(context, cluster);
  checkVlans(context, cluster);
  checkAddresses(context, cluster);
  checkStorage(context, cluster);
  checkCompute(context, cluster);
  checkRouting(context, cluster);
  checkServices(context, cluster);
}
