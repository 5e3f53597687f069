/** Runs long synchronous work in slices, so that the thread's event loop goes on turning between them. */

import { setImmediate, setTimeout } from "node:timers/promises";

/** No slice takes much longer: inotify's queue (16,384 events) must be emptied while a large tree is scanned. */
const longestSliceMs = 8;

/** Drives `work` to its end. What it yields is a pause in milliseconds; 0 offers a place to interrupt it. */
export async function runSliced<T>(work: Generator<number, T>, sliceMs = longestSliceMs): Promise<T> {
  let begunMs = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    const pauseMs = step.value;
    if (pauseMs === 0 && performance.now() - begunMs < sliceMs) continue;
    await (pauseMs === 0 ? setImmediate() : setTimeout(pauseMs));
    begunMs = performance.now();
  }
}
