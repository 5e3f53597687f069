/** Reads everything that a check looks at: lists as the agent does, and parses what is told about. */

import { contentText } from "../../check/content-text.ts";
import { hostModules } from "../../check/host-modules.ts";
import { readSource } from "../../check/read-source.ts";
import type { CheckedFile, TreeParts } from "../../check/tree.ts";
import { createPins } from "../../core/pins.ts";
import type { SkippedPath } from "../../core/status.ts";
import { ArenaNumbers } from "../../source/arena.ts";
import { Changes } from "../../source/changes.ts";
import { DiskIndex } from "../../source/disk-index.ts";
import { Scanner } from "../../source/scan.ts";
import { runSliced } from "../../source/slices.ts";
import { Territory } from "../../source/territory.ts";
import { createCModules } from "./c-modules.ts";
import type { CheckScope } from "./scope.ts";

export interface LoadedTree {
  readonly parts: TreeParts;
  /** Files and folders in the scope that could not be read, or are too large. */
  readonly skipped: readonly SkippedPath[];
}

export async function loadTree(
  { config, searchPath, territory, isChecked }: CheckScope,
  cwd: string,
): Promise<LoadedTree> {
  const index = new DiskIndex();
  const scanner = new Scanner(new Territory(territory), index, config.scan.maxFileBytes, new ArenaNumbers(1));
  const changes = new Changes();
  const { arenas } = await runSliced(scanner.scan({ kind: "all" }, changes));
  const { present } = changes.differences();
  const checked = new Map<string, CheckedFile>();
  for (const source of present) {
    // Behind several paths, the first one stands for the file.
    if (checked.has(source.file) || !isChecked(source.path)) continue;
    checked.set(source.file, { source, reading: readSource(contentText(source.content, arenas)) });
  }
  const provided = createPins([...hostModules, ...config.check.modules]);
  const isCModule = createCModules(searchPath);
  return {
    parts: {
      searchPath,
      cwd,
      reachable: present,
      checked: [...checked.values()],
      pinnedWhy: createPins(config.reload.pinned),
      isHostModule: (name) => provided(name) !== undefined || isCModule(name),
      globals: new Set(config.check.globals),
      aliases: config.reload.aliases,
    },
    skipped: index.skipped().filter(({ path }) => isChecked(path)),
  };
}
