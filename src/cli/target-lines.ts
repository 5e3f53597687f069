/** The hosts beside an agent, one row each: where they stand, and which of their workers are behind. */

import { listNames, shorten } from "../observe/abbreviate.ts";
import { count } from "../observe/quantities.ts";
import type { Style } from "../observe/style.ts";
import type { ToldTarget } from "./answers.ts";
import { inColumns } from "./table.ts";

/** `generation` is the one that runs; targets that are not on it, and why, stand out. */
export function targetLines(
  targets: readonly ToldTarget[],
  generation: number,
  style: Style,
): readonly string[] {
  const rows = inColumns(targets.map((target) => cells(target, generation)));
  return targets.flatMap(({ state, error }, at) => {
    const row = `  ${rows[at]!}`;
    return [
      state === "current" ? row : style.attention(row),
      ...(error === undefined ? [] : [style.attention(`    ${error}`)]),
    ];
  });
}

function cells({ name, type, state, workers, ...target }: ToldTarget, generation: number): readonly string[] {
  const behind = workers.filter((worker) => worker.generation !== generation).map(({ worker }) => worker);
  return [
    name,
    type,
    state,
    target.generation === undefined ? "no generation" : `generation ${target.generation}`,
    target.acknowledges ? count(workers.length, "worker") : "workers do not acknowledge",
    behind.length === 0 ? "" : `behind: ${listNames(shorten(behind))}`,
  ];
}
