/** What a benchmark is: one question, answered by ratios that were measured within one run. */

/** One line of an answer; `ratio` is what the question compares, e.g. how many times faster. */
export interface Row {
  readonly name: string;
  /** NaN for a figure that stands beside nothing. */
  readonly ratio: number;
  /** What the ratio is of, or further figures, as text. */
  readonly unit?: string;
  /** What the ratio should be. */
  readonly aim?: Aim;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** Whether a ratio is what it should be; undefined where nothing was aimed at or measured. */
export function isMet({ ratio, aim }: Pick<Row, "ratio" | "aim">): boolean | undefined {
  if (aim === undefined || !Number.isFinite(ratio)) return undefined;
  return "atLeast" in aim ? ratio >= aim.atLeast : ratio <= aim.atMost;
}

/** `≥ 0.6` */
export function shownAim(aim: Aim): string {
  return "atLeast" in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`;
}

export interface Answer {
  readonly question: string;
  readonly rows: readonly Row[];
  /** Why nothing was measured, e.g. a program that is not installed. */
  readonly skipped?: string;
}

/** What a file of this folder exports as `run`. Throws when something that must hold did not, such as `0 stale`. */
export type Run = () => Promise<Answer>;

/**
 * How long both take, in milliseconds: each in turn, A B A B …, so that whatever else the machine does hits both
 * alike; the median of the rounds. The first round warms up and does not count.
 */
export function inTurn(
  rounds: number,
  a: () => void,
  b: () => void,
): { readonly aMs: number; readonly bMs: number } {
  const aMs: number[] = [];
  const bMs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const times = [timed(a), timed(b)] as const;
    if (round === 0) continue;
    aMs.push(times[0]);
    bMs.push(times[1]);
  }
  return { aMs: median(aMs), bMs: median(bMs) };
}

/**
 * Measures each of `subjects` once per round, in turn, beginning with another one each time, and gives every subject's figures in the order of the rounds:
 * figures with the same index were measured next to each other. `warm` runs once for each before the first round.
 */
export async function roundRobin<Name extends string, Figure>(
  rounds: number,
  subjects: Readonly<Record<Name, () => Promise<Figure>>>,
  warm?: (name: Name) => Promise<unknown>,
): Promise<Readonly<Record<Name, readonly Figure[]>>> {
  const names = Object.keys(subjects) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as Figure[]])) as Record<Name, Figure[]>;
  if (warm) for (const name of names) await warm(name);
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)])
      figures[name].push(await subjects[name]());
  }
  return figures;
}

/** `a / b` of each round. */
export function ratios(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((value, round) => value / (b[round] ?? Number.NaN));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `q` of `values` lies (nearest rank); NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** `0.61 (0.55–0.64)`: the median and what lies around it. */
export function spread(values: readonly number[], digits = 2): string {
  const shown = [median(values), Math.min(...values), Math.max(...values)].map((v) => v.toFixed(digits));
  return `${shown[0]} (${shown[1]}–${shown[2]})`;
}

/** `0.98 (0.95–1.02)`: the median, and between what half of the rounds lie: of many short ones, single ones say nothing. */
export function middle(values: readonly number[], digits = 2): string {
  const shown = [0.5, 0.25, 0.75].map((q) => quantile(values, q).toFixed(digits));
  return `${shown[0]} (${shown[1]}–${shown[2]})`;
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
