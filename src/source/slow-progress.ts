/** Tells of progress only when there is something to wait for. */

import { performance } from "node:perf_hooks";

const afterMs = 1000;
const everyMs = 250;

/** The progress of one pass. */
export interface SlowProgress {
  readonly report: (done: number, total: number) => void;
  /** The pass has ended: whoever was told of it is told once more, that all is done. */
  readonly end: () => void;
}

/** Silent for the first second, then tells at most four times a second what is done while something is left. */
export function slowProgress(
  tell: (done: number, total: number) => void,
  clock: () => number = () => performance.now(),
): SlowProgress {
  let dueMs = clock() + afterMs;
  let toldTotal = 0;
  return {
    report: (done, total) => {
      if (done >= total) return;
      const nowMs = clock();
      if (nowMs < dueMs) return;
      dueMs = nowMs + everyMs;
      toldTotal = total;
      tell(done, total);
    },
    end: () => {
      if (toldTotal > 0) tell(toldTotal, toldTotal);
    },
  };
}
