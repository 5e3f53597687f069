/** Compiles src to dist with tsc, and copies what tsc leaves behind. */

import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** Runs tsc with `tsconfig.build.json`; false when it reported errors (it emits nevertheless). */
export function compile(root: string): boolean {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  return (
    spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" })
      .status === 0
  );
}

/** Folders of dist that are not compiled from src. */
const madeByOthers: ReadonlySet<string> = new Set(["fengari", "threads"]);

/** Removes what earlier builds made of sources that are gone: it would be published with the rest. */
export function removeStale(root: string): void {
  const dist = join(root, "dist");
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    const [, stem, ending] = /^(.*?)\.(js|js\.map|d\.ts|lua)$/.exec(name) ?? [];
    if (stem === undefined || madeByOthers.has(dirname(name))) continue;
    const source = `${stem}.${ending === "lua" ? "lua" : "ts"}`;
    if (!existsSync(join(root, "src", source))) rmSync(join(dist, name));
  }
}

/** Copies every Lua file below src to the same place in dist. */
export function copyLua(root: string): void {
  const names = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  for (const name of names.filter((name) => name.endsWith(".lua"))) {
    const target = join(root, "dist", name);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, "src", name), target);
  }
}

/** npm makes a `bin` executable when it installs it; a build in the checkout has to do the same. */
export function makeExecutable(root: string): void {
  const main = join(root, "dist", "cli", "main.js");
  if (existsSync(main)) chmodSync(main, 0o755);
}
