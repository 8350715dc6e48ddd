import { dns } from "./dns.ts";
import { demo } from "./demo.ts";
import { drain, undrain } from "./drain.ts";
import { lab } from "./lab.ts";
import { check } from "./check.ts";
import { facts } from "./facts.ts";
import { init } from "./init.ts";
import { render } from "./render.ts";
import { whatif } from "./whatif.ts";
import { agent } from "./agent.ts";
import { routes as routesCommand } from "./routes.ts";
import { health } from "./health.ts";
import { status } from "./status.ts";

/**
 * Every command, in the order of `trivet --help`. A command is a file here that says its flags and imports what it runs only when it
 * runs (`await import("@trivet/...")` inside `func`), so that start-up stays short.
 */
export const routes = {
  demo,
  init,
  facts,
  check,
  whatif,
  render,
  lab,
  status,
  routes: routesCommand,
  health,
  drain,
  undrain,
  dns,
  agent,
};
