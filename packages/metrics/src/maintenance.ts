import type { Database } from "@holdfast/sqlite";
import { DELETE_OLDEST, ROLL_UP } from "./schema.ts";

/** One resolution of the stored buckets, and the age at which they leave it. */
export interface Tier {
  /** Width of a bucket, in milliseconds; a multiple of the finer tier's. */
  resolutionMs: number;
  /** Age in milliseconds at which a bucket is rolled up into the next tier, or deleted. */
  keepMs: number;
}

export interface RetentionOptions {
  tiers: readonly Tier[];
  /** Age in milliseconds at which an event is deleted. */
  eventKeepMs: number;
  /** Events kept of each kind; the oldest go first. */
  eventsPerKindMax: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const EVERY_MS = MINUTE_MS;
/** Rows that one run may move or delete, so that no flush takes long; the next goes on. */
const ROWS_MAX = 500;

/**
 * Rolls up and expires a bounded number of rows when a minute has passed since the last run, in
 * whichever process. Call it inside a write transaction.
 */
export function maintain(db: Database, options: RetentionOptions, nowMs: number): void {
  const last = readMeta(db, "maintained_at_ms");
  // The distance, not the difference: a clock set back must not stop it until it catches up.
  if (last !== undefined && Math.abs(nowMs - last) < EVERY_MS) return;
  const ageFromMs = trustedNow(db, nowMs);
  let budget = ROWS_MAX;
  options.tiers.forEach((tier, index) => {
    const before = ageFromMs - tier.keepMs - tier.resolutionMs;
    budget -= expireBuckets(db, tier, options.tiers[index + 1], before, nowMs, budget);
  });
  budget -= expireEvents(db, options, ageFromMs - options.eventKeepMs, budget);
  if (budget > 0) writeMeta(db, "maintained_at_ms", nowMs);
}

/**
 * The time that ages are counted from. Deleting cannot be undone, and a clock that jumped a year
 * ahead would delete everything: a jump of more than a day is believed only when the clock has
 * since run on for a day without going back.
 */
function trustedNow(db: Database, nowMs: number): number {
  const trusted = readMeta(db, "trusted_now_ms");
  if (trusted === undefined || nowMs <= trusted + DAY_MS) {
    db.raw.prepare("DELETE FROM meta WHERE name = 'jumped_to_ms'").run();
    // Also when it goes back: nothing expires early, and the last word is the present clock's.
    writeMeta(db, "trusted_now_ms", nowMs);
    return nowMs;
  }
  const jumpedTo = readMeta(db, "jumped_to_ms");
  if (jumpedTo === undefined || nowMs < jumpedTo) {
    writeMeta(db, "jumped_to_ms", nowMs);
    return trusted;
  }
  if (nowMs - jumpedTo < DAY_MS) return trusted;
  db.raw.prepare("DELETE FROM meta WHERE name = 'jumped_to_ms'").run();
  writeMeta(db, "trusted_now_ms", nowMs);
  return nowMs;
}

function expireBuckets(
  db: Database,
  tier: Tier,
  coarser: Tier | undefined,
  before: number,
  now: number,
  limit: number,
): number {
  if (limit <= 0) return 0;
  const oldest = { resolution: tier.resolutionMs, before, limit };
  if (coarser !== undefined) {
    db.raw.prepare(ROLL_UP).run({ ...oldest, coarser: coarser.resolutionMs, now });
  }
  return Number(db.raw.prepare(DELETE_OLDEST).run(oldest).changes);
}

function expireEvents(
  db: Database,
  options: RetentionOptions,
  beforeMs: number,
  limit: number,
): number {
  if (limit <= 0) return 0;
  const old = db.raw
    .prepare("DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at_ms < ? LIMIT ?)")
    .run(beforeMs, limit);
  const kinds = db.raw
    .prepare("SELECT kind, count(*) AS n FROM event GROUP BY kind HAVING n > ?")
    .all(options.eventsPerKindMax) as { kind: string; n: number }[];
  let deleted = Number(old.changes);
  const oldestOfKind = db.raw.prepare(
    "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE kind = ? ORDER BY at_ms LIMIT ?)",
  );
  for (const { kind, n } of kinds) {
    const excess = Math.min(n - options.eventsPerKindMax, Math.max(0, limit - deleted));
    deleted += Number(oldestOfKind.run(kind, excess).changes);
  }
  return deleted;
}

function readMeta(db: Database, name: string): number | undefined {
  const row = db.raw.prepare("SELECT value FROM meta WHERE name = ?").get(name);
  return (row as { value: number } | undefined)?.value;
}

function writeMeta(db: Database, name: string, value: number): void {
  db.raw.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)").run(name, value);
}
