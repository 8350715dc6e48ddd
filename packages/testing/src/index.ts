/** Support for tests. */
export { describeLab } from "./describe-lab.ts";
export { eventually } from "./eventually.ts";
