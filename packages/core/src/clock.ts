/** Time as the packages see it, so that tests can drive it. All units are milliseconds. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch; may jump. */
  now(): number;
  /**
   * Monotonic milliseconds, not whole ones, since about when this machine started: the same for
   * all its processes. Never goes backwards, whatever happens to the wall clock; starts anew with
   * the machine.
   */
  monotonic(): number;
  /**
   * Resolves after `delayMs`. Rejects with the signal's reason when `signal` aborts.
   * The timer keeps the process alive while someone waits on it.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The longest delay of Node's timers, 24 days: one that is longer fires at once. */
export const TIMER_MS_MAX: number = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  // Not `performance`, which loads more of Node than a command that reads local files.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      let timer: NodeJS.Timeout;
      const wait = (leftMs: number): void => {
        timer = setTimeout(
          () => {
            if (leftMs > TIMER_MS_MAX) return wait(leftMs - TIMER_MS_MAX);
            signal?.removeEventListener("abort", onAbort);
            return resolve();
          },
          Math.min(leftMs, TIMER_MS_MAX),
        );
      };
      wait(delayMs);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};
