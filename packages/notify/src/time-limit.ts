import type { Clock } from "@holdfast/core";
import { NotifyError } from "./notify-error.ts";

/**
 * Runs `work` under a signal that aborts after `limitMs`, or with `signal`. It answers as `work`
 * does, which must obey the signal.
 * @throws NotifyError `NOTICE_TIMEOUT` as the signal's reason.
 */
export async function withTimeLimit<T>(
  { clock, limitMs, signal }: { clock: Clock; limitMs: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const done = new AbortController();
  const watch = async (): Promise<void> => {
    const isLate = await clock.sleep(limitMs, done.signal).then(
      () => true,
      () => false,
    );
    const message = `Not delivered within ${limitMs} ms`;
    if (isLate) limit.abort(new NotifyError("NOTICE_TIMEOUT", message, { retryable: true }));
  };
  void watch();
  const signals = signal === undefined ? [limit.signal] : [limit.signal, signal];
  try {
    return await work(AbortSignal.any(signals));
  } finally {
    done.abort();
  }
}
