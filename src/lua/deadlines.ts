/** One timer for the deadlines of all coroutines that wait: hooks do not reach what runs no instructions. */

/** The least distance between two looks, so that many deadlines close together cost one. */
const minIntervalMs = 5;

/** Something that waits and has a deadline on the clock of `performance.now()`. */
export interface Waiting {
  readonly deadlineAtMs: number;
}

export interface Deadlines<W extends Waiting> {
  /** Starts watching; nothing happens when the deadline is Infinity. */
  add(waiting: W): void;
  remove(waiting: W): void;
}

/** `expire` is called once for each that waited past its deadline, after it has been removed. */
export function createDeadlines<W extends Waiting>(expire: (waiting: W) => void): Deadlines<W> {
  const watched = new Set<W>();
  let timer: NodeJS.Timeout | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;

  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    timerAtMs = Number.POSITIVE_INFINITY;
  };

  const look = (): void => {
    stop();
    const nowMs = performance.now();
    let nextAtMs = Number.POSITIVE_INFINITY;
    const expired: W[] = [];
    for (const waiting of watched) {
      if (waiting.deadlineAtMs <= nowMs) expired.push(waiting);
      else nextAtMs = Math.min(nextAtMs, waiting.deadlineAtMs);
    }
    if (nextAtMs !== Number.POSITIVE_INFINITY) lookAt(nextAtMs);
    // An expiry may wake or abort others of this list: those are no longer watched.
    for (const waiting of expired) if (watched.delete(waiting)) expire(waiting);
  };

  const lookAt = (atMs: number): void => {
    stop();
    timerAtMs = atMs;
    // Timers may fire a fraction of a millisecond early; Node takes no delay above 2^31 - 1.
    const delayMs = Math.min(Math.max(minIntervalMs, Math.ceil(atMs - performance.now()) + 1), 0x7fffffff);
    timer = setTimeout(look, delayMs).unref();
  };

  return {
    add(waiting) {
      if (waiting.deadlineAtMs === Number.POSITIVE_INFINITY) return;
      watched.add(waiting);
      if (waiting.deadlineAtMs < timerAtMs) lookAt(waiting.deadlineAtMs);
    },
    remove(waiting) {
      // The last one takes the timer along: it would keep a state alive that nobody uses any more.
      if (watched.delete(waiting) && watched.size === 0) stop();
    },
  };
}
