#!/usr/bin/env node
import { trivet } from "./app.ts";

process.exitCode = await trivet(process.argv.slice(2), process);
