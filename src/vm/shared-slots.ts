/** The few numbers a VM keeps in shared memory, readable while its thread is busy. */

/** Indices into the Int32Array over `VmBoot.slots`. */
export const slot = {
  /** Id of the last work message that the VM has started; ids grow along a port, so later ones have not started. */
  startedId: 0,
  /** 1 while Lua code is running, 0 while the thread waits. */
  running: 1,
  /** Generation the VM has applied. */
  generation: 2,
  /** Modules in package.loaded that came from files. */
  modules: 3,
  /** Id of the work message whose Lua code is running; 0 for none. */
  runningId: 4,
  /** Wraps around with every entry into Lua: the watchdog compares two readings. */
  entries: 5,
  /** KiB of JavaScript heap and external memory (strings) that the VM last measured; 0 until then. */
  heapKb: 6,
} as const;

const slotCount = 8;

/** Shared memory for one VM. */
export function createSlots(): SharedArrayBuffer {
  return new SharedArrayBuffer(slotCount * Int32Array.BYTES_PER_ELEMENT);
}
