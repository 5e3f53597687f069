/** What `relua check` looks at: the config it goes by, the search path, and which files are told about. */

import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, configFileName, loadConfig, parseConfig } from "../../config/index.ts";
import { fixedFiles, parsePackagePath, type SearchPath, sourceRoots } from "../../core/search-path.ts";
import { ReluaError } from "../../errors.ts";
import type { Territory } from "../../source/territory.ts";
import { handlerFiles } from "./handler-files.ts";

export interface CheckScope {
  readonly config: Config;
  readonly searchPath: SearchPath;
  /** Where files are listed. */
  readonly territory: ConstructorParameters<typeof Territory>[0];
  /** Whether the file of a path is told about, or only there to be required. */
  isChecked(path: string): boolean;
}

/**
 * @param paths as the user gave them; without any, the folders of the search path that are the project's own
 * @param configFile as the user gave it; `watch.config.ts` where there is one
 * @throws ReluaError `usage` for a path where nothing is
 */
export async function checkScope(
  paths: readonly string[],
  configFile: string | undefined,
  cwd: string,
): Promise<CheckScope> {
  const hasConfig = configFile !== undefined || existsSync(resolve(cwd, configFileName));
  const config = hasConfig ? await loadConfig(configFile, cwd) : parseConfig({}, { cwd });
  const given = paths.length > 0 ? paths : hasConfig ? ownFolders(config) : [unconfiguredFolder(cwd)];
  const targets = given.map((path) => targetAt(path, cwd));
  const searchPath = hasConfig ? config.searchPath : searchPathOf(targets, cwd);
  const roots = sourceRoots(searchPath);
  const handlers = new Set(paths.length > 0 ? [] : handlerFiles(config));
  const folders = targets.flatMap(({ path, isFolder }) => (isFolder ? [path] : []));
  return {
    config,
    searchPath,
    territory: {
      // What is asked for is looked at, also where no name leads.
      roots: [
        ...roots,
        ...(paths.length > 0 ? folders : []).map((folder) => ({ folder, suffixes: [".lua"] })),
      ],
      files: [
        ...targets.flatMap(({ path, isFolder }) => (isFolder ? [] : [path])),
        ...fixedFiles(searchPath),
        ...handlers,
      ],
      ignore: config.scan.ignore,
    },
    isChecked: (path) => targets.some((target) => isBelow(path, target.path)) || handlers.has(path),
  };
}

/** Folders of the search path below the prefix; that of `./?.lua` only, which `;;` brings, when there is no other. */
function ownFolders({ searchPath, prefix }: Config): readonly string[] {
  const own = searchPath.templates.filter(
    ({ folder, fixed }) => !fixed && isBelow(folder, prefix) && existsSync(folder),
  );
  const chosen = own.filter(({ text }) => text !== "./?.lua");
  return [...new Set((chosen.length > 0 ? chosen : own).map(({ folder }) => folder))];
}

/** Where the default search path looks, if somebody keeps code there; the working folder else. */
function unconfiguredFolder(cwd: string): string {
  const apps = resolve(cwd, "apps");
  return existsSync(apps) ? apps : cwd;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

interface Target {
  /** Absolute. */
  readonly path: string;
  readonly isFolder: boolean;
}

function targetAt(given: string, cwd: string): Target {
  const path = resolve(cwd, given);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new ReluaError("usage", `${given}: there is no such file or folder`);
  return { path, isFolder: stats.isDirectory() };
}

/** Without a config, each folder is a root; beside a single file, the working folder. */
function searchPathOf(targets: readonly Target[], cwd: string): SearchPath {
  const folders = targets.map(({ path, isFolder }) => (isFolder ? path : cwd));
  const odd = folders.find((folder) => /[;?]/.test(folder));
  if (odd !== undefined)
    throw new ReluaError("usage", `${odd}: a folder with ; or ? in its name cannot be on a search path`);
  const templates = [...new Set(folders)].flatMap((folder) => [`${folder}/?.lua`, `${folder}/?/init.lua`]);
  return parsePackagePath(templates.join(";"), cwd);
}
