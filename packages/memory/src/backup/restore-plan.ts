import { Database } from "@holdfast/sqlite";
import type { Journal } from "../journal.ts";
import { MIGRATIONS } from "../schema.ts";
import { previousNumber } from "../tables.ts";
import type { MemoryLine } from "./backup-line.ts";
import type { BackupProgress } from "./backup-progress.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import { lastNumber } from "./lineage.ts";
import { collectionOf, feedTarget, othersCount } from "./restore-target.ts";
import type { ChainLink } from "./verify-backup.ts";

const SAMPLES = 5;
const SAMPLE_CHARACTERS = 120;

/** One memory that a restore would change; texts are cut to 120 characters. */
export interface PlanSample {
  id: string;
  /** What is remembered now; undefined for what would be added. */
  now: string | undefined;
  /** What would be remembered; undefined for what would be removed. */
  after: string | undefined;
}

/** What would become of the memories. */
export interface RestoreDifference {
  added: number;
  changed: number;
  removed: number;
  unchanged: number;
  /** Memories of the backup that were forgotten since, and stay forgotten. */
  forgotten: number;
  /** Records of other programs that the restored collection would hold; undefined if unknown. */
  others: number | undefined;
  samples: {
    added: readonly PlanSample[];
    changed: readonly PlanSample[];
    removed: readonly PlanSample[];
  };
}

/** Compares a backup with what is remembered now, and changes nothing. */
export async function planRestore(
  chain: readonly ChainLink[],
  toTime: number | undefined,
  journal: Journal,
  options: { signal?: AbortSignal; onProgress?: (progress: BackupProgress) => void },
): Promise<{ difference: RestoreDifference; seq: number }> {
  const db = Database.open(journal.path, { migrations: MIGRATIONS, synchronous: "NORMAL" });
  try {
    db.raw.exec(
      "CREATE TEMP TABLE target (id TEXT PRIMARY KEY, checksum TEXT NOT NULL, text TEXT NOT NULL)",
    );
    let forgotten = 0;
    let done = 0;
    const total = chain.reduce((sum, { manifest }) => sum + (manifest.data?.lines ?? 0), 0);
    const { collection } = journal;
    const put = db.prepare("INSERT OR REPLACE INTO target VALUES (?, ?, ?)");
    const remove = db.prepare("DELETE FROM target WHERE id = ?");
    const sink = {
      put: (lines: readonly MemoryLine[]) =>
        db.transaction(() => {
          for (const { id, checksum, content } of lines) put.run(id, checksum, cut(content.text));
        }, "DEFERRED"),
      remove: (ids: readonly string[]) => {
        for (const id of ids) remove.run(id);
      },
      forgotten: () => undefined,
      skipped: (count: number) => {
        forgotten += count;
      },
    };
    const forgottenIds = new ForgottenIds(db, collection, collectionOf(chain).name);
    await feedTarget(
      chain,
      toTime,
      sink,
      { db, collection, forgottenIds },
      {
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onLines: (lines) => {
          done += lines;
          options.onProgress?.({ stage: "compare", done, total });
        },
      },
    );
    return db.transaction(() => {
      const difference = differenceOf(db, collection, "temp.target");
      const others = othersCount(chain);
      return { difference: { ...difference, forgotten, others }, seq: lastNumber(db, "entry") };
    }, "DEFERRED");
  } finally {
    db.close();
  }
}

/** Compares what the last restore has replaced with what is remembered now. */
export function planUndo(journal: Journal): { difference: RestoreDifference; seq: number } {
  const previous = `(SELECT id, checksum, text FROM memory
    WHERE collection = ${previousNumber(journal.collection)})`;
  return journal.view(({ db }) => ({
    difference: differenceOf(db, journal.collection, previous),
    seq: lastNumber(db, "entry"),
  }));
}

function differenceOf(db: Database, collection: number, target: string): RestoreDifference {
  const added = `FROM ${target} AS target WHERE NOT EXISTS
    (SELECT 1 FROM memory WHERE collection = ${collection} AND memory.id = target.id)`;
  const both = `FROM ${target} AS target JOIN memory
    ON memory.collection = ${collection} AND memory.id = target.id`;
  const changed = `${both} WHERE memory.checksum <> target.checksum`;
  const removed = `FROM memory WHERE collection = ${collection} AND id NOT IN
    (SELECT id FROM ${target})`;
  const count = (from: string): number =>
    (db.raw.prepare(`SELECT count(*) AS n ${from}`).get() as { n: number }).n;
  const samples = (columns: string, from: string): PlanSample[] =>
    db.raw.prepare(`SELECT ${columns} ${from} LIMIT ${SAMPLES}`).all().map(toSample);
  return {
    added: count(added),
    changed: count(changed),
    removed: count(removed),
    unchanged: count(`${both} WHERE memory.checksum = target.checksum`),
    forgotten: 0,
    others: undefined,
    samples: {
      added: samples("target.id, NULL AS now, target.text AS later", added),
      changed: samples("target.id, memory.text AS now, target.text AS later", changed),
      removed: samples("id, text AS now, NULL AS later", removed),
    },
  };
}

function toSample(raw: unknown): PlanSample {
  const { id, now, later } = raw as { id: string; now: string | null; later: string | null };
  return {
    id,
    now: now === null ? undefined : cut(now),
    after: later === null ? undefined : cut(later),
  };
}

/** By characters, so that none is cut in half. */
function cut(text: string): string {
  return Array.from(text.slice(0, 2 * SAMPLE_CHARACTERS))
    .slice(0, SAMPLE_CHARACTERS)
    .join("");
}
