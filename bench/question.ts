/** What a benchmark is: one question, answered by ratios that were measured within one run. */

/** One line of an answer; `ratio` is what the question compares, e.g. how many times faster. */
export interface Row {
  readonly name: string;
  readonly ratio: number;
  /** What the ratio is of, or further figures, as text. */
  readonly unit?: string;
}

export interface Answer {
  readonly question: string;
  readonly rows: readonly Row[];
}

/** What a file of this folder exports as `run`. */
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

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
