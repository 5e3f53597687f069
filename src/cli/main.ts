#!/usr/bin/env node
/** The command `relua`. */

import { runCommandLine } from "./command-line.ts";

await runCommandLine(process.argv.slice(2));
