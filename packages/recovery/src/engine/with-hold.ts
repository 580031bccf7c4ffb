import type { Clock } from "@holdfast/core";
import { SqliteError } from "@holdfast/sqlite";
import { RecoveryError } from "../recovery-error.ts";
import type { JournalHold } from "./journal-hold.ts";
import type { RecoveryJournal } from "./recovery-journal.ts";

export interface HoldOptions {
  service: string;
  leaseMs: number;
  signal: AbortSignal;
  clock: Clock;
}

/**
 * Runs `work` while this process alone may recover the service. Its signal aborts with the
 * caller's, and when the right is lost to another process.
 * @throws RecoveryError `RECOVERY_BUSY` when another process has it.
 */
export async function withHold<T>(
  journal: RecoveryJournal,
  { service, leaseMs, signal, clock }: HoldOptions,
  work: (hold: JournalHold, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const hold = journal.hold(service, clock.monotonic(), leaseMs);
  if (hold === undefined) throw busy(journal, service);
  const done = new AbortController();
  const losing = new AbortController();
  const renewing = renewUntilDone(hold, leaseMs, clock, done.signal).catch((error: unknown) =>
    losing.abort(error),
  );
  try {
    return await work(hold, AbortSignal.any([signal, losing.signal]));
  } finally {
    done.abort();
    await renewing;
    release(hold);
  }
}

/** What was done is done, also where this cannot be written: the right then runs out by itself. */
function release(hold: JournalHold): void {
  try {
    hold.release();
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
  }
}

async function renewUntilDone(
  hold: JournalHold,
  leaseMs: number,
  clock: Clock,
  done: AbortSignal,
): Promise<void> {
  for (let heldUntil = clock.monotonic() + leaseMs; ;) {
    try {
      await clock.sleep(leaseMs / 3, done);
    } catch (error) {
      if (done.aborted) return;
      throw error;
    }
    const now = clock.monotonic();
    try {
      hold.renew(now, leaseMs);
      heldUntil = now + leaseMs;
    } catch (error) {
      // Nobody else can have taken what has not run out: a busy journal is tried again.
      if (!(error instanceof SqliteError) || !error.retryable || now >= heldUntil) throw error;
    }
  }
}

function busy(journal: RecoveryJournal, service: string): RecoveryError {
  const { id, trigger } = journal.unfinished(service) ?? {};
  const which = id === undefined ? "" : `: incident ${id} (${trigger})`;
  return new RecoveryError(`Another process is recovering ${service}${which}`, {
    code: "RECOVERY_BUSY",
    retryable: true,
    hint: "Let it end; the journal says what it does.",
  });
}
