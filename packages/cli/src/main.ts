#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// What V8 made of the sources is kept in the user's own cache, for the next start. Without a place for it all is compiled anew.
const { HOME, XDG_CACHE_HOME = HOME === undefined ? undefined : join(HOME, ".cache") } = process.env;
if (XDG_CACHE_HOME !== undefined) enableCompileCache(join(XDG_CACHE_HOME, "trivet"));
const { trivet } = await import("./app.ts");

process.exitCode = await trivet(process.argv.slice(2), process);
