/** Where names and files lead by the config and the disk, without an agent. */

import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { configFileName, loadConfig, parseConfig } from "../config/index.ts";
import type { SourceFile } from "../core/manifest.ts";
import { resolutionReason } from "../core/nowhere.ts";
import { type KnownFiles, resolveName, resolvePath } from "../core/resolution.ts";
import { candidates, canonicalName, fixedFiles, type SearchPath, sourceRoots } from "../core/search-path.ts";
import { type ToldResolution, toldResolution } from "../core/told-resolution.ts";
import { createIgnoredBy } from "../source/ignored-by.ts";
import type { NameOrFile } from "./name-or-file.ts";

/**
 * The same answer as an agent's, of the files as they are now.
 * @throws ReluaError what loadConfig throws
 */
export async function resolveOnDisk(
  asked: NameOrFile,
  configFile: string | undefined,
): Promise<ToldResolution> {
  const hasConfig = configFile !== undefined || isFile(resolve(configFileName));
  const { searchPath, prefix, scan } = hasConfig ? await loadConfig(configFile) : parseConfig({});
  const path = "file" in asked ? resolve(prefix, asked.file) : undefined;
  const known = filesAt(path === undefined ? pathsOf(searchPath, nameOf(asked)) : [path], searchPath);
  const found =
    path === undefined ? resolveName(searchPath, known, nameOf(asked)) : resolvePath(searchPath, known, path);
  const ignoredBy = createIgnoredBy({
    roots: sourceRoots(searchPath),
    files: fixedFiles(searchPath),
    ignore: scan.ignore,
  });
  const reason = resolutionReason({ searchPath, ignoredBy, skipped: [] }, known.files, found);
  return toldResolution(path === undefined ? canonicalName(nameOf(asked)) : null, found, reason, prefix);
}

function nameOf(asked: NameOrFile): string {
  return "name" in asked ? asked.name : "";
}

function pathsOf(searchPath: SearchPath, name: string): readonly string[] {
  return candidates(searchPath, name).map(({ path }) => path);
}

/** What is at these paths, and wherever the names of what is there lead. */
function filesAt(paths: readonly string[], searchPath: SearchPath): KnownFiles {
  const files = new Map<string, SourceFile>();
  const add = (path: string) => {
    if (!files.has(path) && isFile(path)) files.set(path, sourceAt(path));
  };
  for (const path of paths) add(path);
  const nothing: KnownFiles = { files: new Map(), pathsOf: (path) => [path] };
  for (const path of [...files.keys()])
    for (const { name } of resolvePath(searchPath, nothing, path).names)
      for (const other of pathsOf(searchPath, name)) add(other);
  return {
    files,
    pathsOf(path) {
      const real = files.get(path)?.file ?? path;
      const same = [...files].filter(([other, { file }]) => file === real && other !== path);
      return [path, ...same.map(([other]) => other)];
    },
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Its content is of no interest here. */
function sourceAt(path: string): SourceFile {
  return { path, file: realpathSync(path), hash: "", content: { arena: 0, offset: 0, length: 0 } };
}
