/**
 * The memory of one VM's thread: V8 ends a thread whose heap grows beyond its limit, but Lua strings are outside of
 * that heap. This looks at them while Lua code runs, so that no loop can take the machine's memory.
 */

import { performance } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { luaconf } from "#fengari";

/** A look costs half a microsecond: one in this many ticks, that is in some 8,000 instructions. */
const ticksPerLook = 8;

/** Collections on demand take tens of milliseconds: one in this time. */
const collectEveryMs = 250;

export interface MemoryGuard {
  /** To be called every thousand instructions. */
  tick(): void;
}

/**
 * Calls `exceeded` with the bytes in use when strings that are still needed take more than `limitBytes`. One guard
 * per thread. Between two looks a program can make strings of less than a mebibyte each; larger ones are looked at
 * one by one, before they are made.
 */
export function guardMemory(limitBytes: number, exceeded: (usedBytes: number) => void): MemoryGuard {
  let ticks = 0;
  let collectedAtMs = Number.NEGATIVE_INFINITY;
  const look = (more: number) => {
    if (getHeapStatistics().external_memory + more <= limitBytes) return;
    const nowMs = performance.now();
    // V8 is in no hurry to collect what is outside of its heap: most of it may be garbage.
    if (nowMs - collectedAtMs < collectEveryMs && more < limitBytes / 4) return;
    collectGarbage();
    collectedAtMs = nowMs;
    const usedBytes = getHeapStatistics().external_memory + more;
    if (usedBytes > limitBytes) exceeded(usedBytes);
  };
  luaconf.largeString = look;
  return {
    tick() {
      ticks = (ticks + 1) % ticksPerLook;
      if (ticks === 0) look(0);
    },
  };
}

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
    setFlagsFromString("--no-expose-gc");
  }
  // V8 frees buffers in the background after a collection; the next one waits for that, and only then it counts.
  collect();
  collect();
}
