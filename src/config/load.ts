/** Reads a config file: finds it, runs it (TypeScript included) and parses what it exports. */

import { existsSync, statSync } from "node:fs";
import { extname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import { ReluaError } from "../errors.ts";
import type { Config } from "./config.ts";
import { parseConfig } from "./parse.ts";

/** The name of the config file in a project's folder. */
export const configFileName = "watch.config.ts";

/**
 * Loads a configuration; the file runs anew each time.
 * @param file relative to `cwd`; default `watch.config.ts`
 * @param cwd default: the process's working folder
 * @throws ReluaError `config-unreadable` when the file is missing, does not compile or throws; `config-invalid` when
 * it exports something else than a configuration. `details` has one line per problem.
 */
export async function loadConfig(file?: string, cwd: string = process.cwd()): Promise<Config> {
  const path = resolve(cwd, file ?? configFileName);
  const shown = relative(cwd, path) || path;
  if (!existsSync(path)) {
    const advice =
      file === undefined ? "run `relua init` to write one, or name one with -c" : "check the name behind -c";
    throw unreadable(shown, `there is no such file in ${cwd}; ${advice}`);
  }
  if (!statSync(path).isFile()) throw unreadable(shown, "this is not a file");
  const exported = await run(path, shown);
  if (typeof exported !== "object" || exported === null || !("default" in exported)) {
    const line = `${shown}: there is no default export; write export default { … }`;
    throw new ReluaError("config-invalid", `${shown}: 1 problem`, [line]);
  }
  return parseConfig(exported.default, { file: path, cwd });
}

async function run(path: string, shown: string): Promise<unknown> {
  const jiti = createJiti(import.meta.url, {
    // SIGHUP reads the file and what it imports again; a cache on the disk would litter the user's project.
    moduleCache: false,
    fsCache: false,
    interopDefault: false,
    // `import { defineConfig } from "relua"` works without relua installed beside the file (npx, a global install).
    alias: { relua: fileURLToPath(new URL(`./define${extname(import.meta.url)}`, import.meta.url)) },
  });
  try {
    return await jiti.import<unknown>(path);
  } catch (error) {
    throw unreadable(shown, reason(error, path), error);
  }
}

/** jiti's parser gives the position on a line of its own; its resolver adds a "Require stack". */
function reason(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `it throws ${String(error)}`;
  const [first = "", ...rest] = error.message
    .replace(/\nRequire stack:.*/s, "")
    .replaceAll(path, "")
    .split("\n");
  const position = /^\s*:?(\d+):(\d+)/.exec(rest.join("\n"));
  if (position !== null) return `${first.trim()} in line ${position[1]}, column ${position[2]}`;
  const line = /^:(\d+)/.exec(error.stack?.split(path)[1] ?? "");
  return `it throws ${error.name}: ${[first, ...rest].join(" ").trim()}${line === null ? "" : ` (line ${line[1]})`}`;
}

function unreadable(shown: string, what: string, cause?: unknown): ReluaError {
  return new ReluaError("config-unreadable", `${shown} cannot be read`, [`${shown}: ${what}`], { cause });
}
