import type { Context } from "../context.ts";
import type { Cluster } from "../model.ts";

export function checkRules(_context: Context, _cluster: Cluster): void {}
