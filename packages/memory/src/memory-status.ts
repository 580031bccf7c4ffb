import type { CircuitBreaker } from "@holdfast/breaker";
import type { Clock } from "@holdfast/core";
import { backupStatusOf } from "./backup/backup-log.ts";
import { remainingMs } from "./attempts.ts";
import type { Journal } from "./journal.ts";
import type { MemoryStatus } from "./memory.ts";
import { syncStateOf } from "./sync/sync-state.ts";

/** How a memory stands, as it was at one moment. */
export function statusOf(
  collection: string,
  { journal, breaker, clock }: { journal: Journal; breaker: CircuitBreaker; clock: Clock },
): MemoryStatus {
  return journal.view(({ outbox, mirror, unsettled, others }) => {
    const attempts = journal.attempts.state();
    const { lastError, answeredAt } = attempts;
    const waitMs = remainingMs(attempts, breaker, clock.now());
    const oldest = outbox.oldestQueuedAt();
    return {
      ledger: outbox.ledger(),
      outbox: {
        ...outbox.load(),
        oldestAgeMs: oldest === undefined ? undefined : Math.max(0, clock.now() - oldest),
        lastError: lastError ?? undefined,
        nextAttemptAt: waitMs === 0 ? undefined : clock.now() + waitMs,
        unsettled: unsettled.count(),
      },
      mirrored: mirror.count(),
      others: { ...others.count(), syncedAt: syncStateOf(journal)?.doneAt },
      storeLastAnsweredAt: answeredAt ?? undefined,
      breaker: breaker.explain(),
      collection,
      salvaged: journal.salvaged(),
      backups: backupStatusOf(journal),
    };
  });
}
