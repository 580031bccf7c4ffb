import { TIMER_MS_MAX } from "@holdfast/core";

/**
 * What `work` answers, or the reason why it was no longer waited for: its time was over, or `signal`
 * aborted. Work that does not obey its signal is left to itself.
 * @throws whatever `work` throws; an Error that names the limit; the signal's reason.
 */
export async function withLimit<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`no answer within ${limitMs} ms`)),
    Math.min(limitMs, TIMER_MS_MAX),
  );
  const limited = AbortSignal.any([signal, limit.signal]);
  let giveUp = (): void => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(limited.reason as Error);
    limited.addEventListener("abort", giveUp, { once: true });
  });
  try {
    return await Promise.race([Promise.resolve(work(limited)), givenUp]);
  } finally {
    clearTimeout(timer);
    limited.removeEventListener("abort", giveUp);
  }
}
