/** `npm run build`: the patched Fengari, then the compiled sources, then what belongs beside them, then the threads. */

import { join } from "node:path";
import { bundleThreads } from "./bundle.ts";
import { compile, copyLua, makeExecutable, removeStale } from "./compile.ts";
import { EditError } from "./fengari/edit.ts";
import { patch } from "./fengari/edits.ts";
import { patchFengari } from "./fengari/patch.ts";

const root = join(import.meta.dirname, "..");

try {
  patchFengari(join(root, "node_modules", "fengari"), join(root, "dist", "fengari"), patch);
} catch (error) {
  if (!(error instanceof EditError)) throw error;
  console.error(`build: ${error.message}`);
  process.exit(1);
}

const compiled = compile(root);
removeStale(root);
copyLua(root);
makeExecutable(root);
await bundleThreads(root);
if (!compiled) {
  console.error("build: tsc reported errors; dist holds what it could emit");
  process.exitCode = 1;
}
