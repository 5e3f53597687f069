/** `require-cycle`: modules that require each other while they load. */

import { knots } from "../../core/knots.ts";
import type { StaticRequire } from "../../core/source-facts.ts";
import type { Finding } from "../finding.ts";
import type { CheckedFile, Tree } from "../tree.ts";

interface Step {
  readonly from: CheckedFile;
  readonly required: StaticRequire;
  readonly to: CheckedFile;
}

/** One finding for each knot of modules: its shortest cycle. Requires inside functions are the way out, and no cycle. */
export function* requireCycles(tree: Tree): Iterable<Finding> {
  const steps = new Map(tree.files.map((file) => [file, stepsFrom(tree, file)]));
  for (const knot of knots(steps.keys(), (file) => (steps.get(file) ?? []).map(({ to }) => to))) {
    const cycle = shortestCycle(knot, steps);
    const [first] = cycle;
    if (first === undefined) continue;
    const names = [...cycle.map(({ from }) => nameIn(tree, from)), nameIn(tree, first.from)];
    const guarded = cycle.some(({ required }) => required.guarded);
    const more = knot.size > cycle.length ? `, and ${knot.size - cycle.length} more modules around it` : "";
    yield tree.finding("require-cycle", first.from, {
      ...first.required,
      severity: guarded ? "warning" : "error",
      message: `${names.join(" → ")} while they load${more}; require one of them inside the function that uses it`,
      related: cycle.slice(1).map(({ from, required }) => ({
        ...tree.location(from, required),
        message: `requires '${required.name}'`,
      })),
    });
  }
}

function nameIn(tree: Tree, file: CheckedFile): string {
  const named = tree.namesOf(file.source.path).find(({ shadowedBy }) => shadowedBy === undefined);
  return named?.name ?? tree.shown(file.source.path);
}

function stepsFrom(tree: Tree, from: CheckedFile): readonly Step[] {
  return from.reading.facts.requires.flatMap((required) => {
    const to = required.kind === "load" ? tree.requiredBy(required) : undefined;
    // `module` puts the module where require finds it before anything else runs.
    return to === undefined || to.reading.isOldModule ? [] : [{ from, required, to }];
  });
}

/** Breadth first from each module of the knot, until one gets back to itself by the fewest steps. */
function shortestCycle(
  knot: ReadonlySet<CheckedFile>,
  steps: ReadonlyMap<CheckedFile, readonly Step[]>,
): readonly Step[] {
  let shortest: readonly Step[] = [];
  const starts = [...knot].sort((a, b) => (a.source.path < b.source.path ? -1 : 1)).slice(0, mostStarts);
  for (const start of starts) {
    const cycle = cycleFrom(start, knot, steps);
    if (shortest.length === 0 || (cycle.length > 0 && cycle.length < shortest.length)) shortest = cycle;
    if (shortest.length === 1) break;
  }
  return shortest;
}

/** In a knot of thousands any short cycle will do. */
const mostStarts = 100;

function cycleFrom(
  start: CheckedFile,
  knot: ReadonlySet<CheckedFile>,
  steps: ReadonlyMap<CheckedFile, readonly Step[]>,
): readonly Step[] {
  const cameBy = new Map<CheckedFile, Step>();
  const queue = [start];
  for (const file of queue) {
    for (const step of steps.get(file) ?? []) {
      if (!knot.has(step.to) || cameBy.has(step.to)) continue;
      cameBy.set(step.to, step);
      if (step.to === start) return wayTo(start, cameBy);
      queue.push(step.to);
    }
  }
  return [];
}

function wayTo(start: CheckedFile, cameBy: ReadonlyMap<CheckedFile, Step>): readonly Step[] {
  const way: Step[] = [];
  for (let at = start; way.length === 0 || at !== start; ) {
    const step = cameBy.get(at) as Step;
    way.push(step);
    at = step.from;
  }
  return way.reverse();
}
