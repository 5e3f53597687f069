/** Puts what each kind of thread runs into one file: a thread that starts reads and links one module, not two hundred. */

import { join } from "node:path";
import { build } from "esbuild";

/** Entries by the names of their bundles, below dist; package.json's `imports` leads there. */
const threads = { vm: "vm/thread.js", source: "source/thread.js", check: "check/thread.js" };

/** Fengari's CommonJS asks for Node's own modules by `require`, which an ES module does not have. */
const banner =
  'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

/** Bundles the compiled entries to `dist/threads`. npm packages stay where they are. Rejects when something is missing. */
export async function bundleThreads(root: string): Promise<void> {
  const dist = join(root, "dist");
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      Object.entries(threads).map(([name, entry]) => [name, join(dist, entry)]),
    ),
    outdir: join(dist, "threads"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    banner: { js: banner },
    // Every thread keeps its source as text, and a comment with a dash or an arrow in it doubles what all of it takes.
    // Names stay as they are: they are what a stack trace says. Fengari's terms lie in dist/fengari/LICENSE.
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: "none",
    logLevel: "warning",
  });
}
