/** With `reload.aliases: "error"`: what a change set must not do, load a file under one name more than is in use. */

import type { Graph } from "../core/graph.ts";
import type { SourceFile } from "../core/manifest.ts";
import type { RehearsedRequire } from "../core/move.ts";
import type { LoadError } from "../core/outcome.ts";
import type { Plan } from "../core/plan.ts";

/** What the change set is made of. */
export interface Rehearsal {
  readonly plan: Pick<Plan, "evict" | "roots">;
  /** The files at changed paths, as they would be. */
  readonly next: ReadonlyMap<string, SourceFile | undefined>;
  readonly requires: readonly RehearsedRequire[];
}

/** Where a name is required. */
interface Use {
  readonly at: string;
  readonly path: string | undefined;
}

/**
 * One error for each file that would be required under several names, of which the change set brings at least one.
 * Names that were in use together before are what runs, and no reason to refuse anything else.
 */
export function newAliases(graph: Graph, { plan, next, requires }: Rehearsal): readonly LoadError[] {
  const usesAfter = new Map<string, Map<string, Use>>();
  const use = (file: string, name: string, found: Use) => {
    const names = usesAfter.get(file) ?? new Map<string, Use>();
    usesAfter.set(file, names);
    if (!names.has(name)) names.set(name, found);
  };
  for (const { to, file, at, path } of requires) use(file, to, { at, path });
  for (const file of next.values()) if (file) usesAfter.set(file.file, usesAfter.get(file.file) ?? new Map());

  const again = new Set([...plan.evict.map(({ name }) => name), ...plan.roots]);
  for (const file of usesAfter.keys())
    for (const name of namesAfter(graph, file, next)) {
      const staying = usesOf(graph, name).find(({ from }) => !again.has(from));
      if (staying) use(file, name, staying);
    }

  const errors: LoadError[] = [];
  for (const [file, uses] of usesAfter) {
    const isNew = ([name]: readonly [string, Use]) =>
      graph.module(name)?.file !== file || usesOf(graph, name).length === 0;
    const added = [...uses].find(isNew);
    if (uses.size < 2 || !added) continue;
    const other = [...uses].find((one) => !isNew(one)) ?? [...uses].find(([name]) => name !== added[0])!;
    errors.push(errorOf(file, added, other));
  }
  return errors;
}

/** Names that lead to this real file once the change set is committed. */
function namesAfter(graph: Graph, file: string, next: Rehearsal["next"]): readonly string[] {
  const fileAfter = (path: string | undefined, now: string | undefined) =>
    path !== undefined && next.has(path) ? next.get(path)?.file : now;
  const names = new Set(graph.namesOfFile(file));
  for (const [path, after] of next)
    if (after?.file === file) for (const name of graph.namesTouching(path)) names.add(name);
  return [...names].filter((name) => {
    const record = graph.module(name);
    return record !== undefined && record.vms.size > 0 && fileAfter(record.path, record.file) === file;
  });
}

function usesOf(graph: Graph, name: string): readonly (Use & { readonly from: string })[] {
  return [...graph.dependents(name)]
    .filter((edge) => edge.static !== true)
    .map(({ from, at }) => ({ from, at, path: graph.module(from)?.path }));
}

function errorOf(
  file: string,
  [name, { at, path }]: [string, Use],
  [other, first]: [string, Use],
): LoadError {
  const line = Number(/:(\d+)$/.exec(at)?.[1] ?? Number.NaN);
  return {
    path,
    line: Number.isNaN(line) ? undefined : line,
    message: `'${name}' and '${other}' are one file, ${file}: required at ${at} and at ${first.at} (reload.aliases)`,
    requiredBy: [],
  };
}
