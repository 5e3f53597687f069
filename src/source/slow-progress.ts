/** Tells of progress only when there is something to wait for. */

import { performance } from "node:perf_hooks";

const afterMs = 1000;
const everyMs = 250;

/** A progress listener for one pass: silent for its first second, then at most four times a second. */
export function slowProgress(
  tell: (done: number, total: number) => void,
  clock: () => number = () => performance.now(),
): (done: number, total: number) => void {
  let dueMs = clock() + afterMs;
  return (done, total) => {
    const nowMs = clock();
    if (nowMs < dueMs) return;
    dueMs = nowMs + everyMs;
    tell(done, total);
  };
}
