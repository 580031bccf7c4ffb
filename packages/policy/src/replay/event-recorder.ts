import { existsSync, rmSync } from "node:fs";
import { Database, SqliteError } from "@holdfast/sqlite";
import type { Evaluation } from "../evaluation.ts";
import type { PolicyEvent } from "../policy-event.ts";
import { decisionRecord, type DecisionRecord } from "./decision-record.ts";

/** An event as it was decided. */
export interface RecordedEvent {
  event: PolicyEvent;
  /** Wall-clock milliseconds of the decision. */
  now: number;
  timezone: string;
  seed: string;
  decision: DecisionRecord;
}

export interface EventRecorderOptions {
  path: string;
  /** The oldest are forgotten first. */
  eventsMax: number;
}

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE decided (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, now INTEGER NOT NULL,
     timezone TEXT NOT NULL, seed TEXT NOT NULL, event TEXT NOT NULL, decision TEXT NOT NULL
   )`,
];

/** A larger event is left out: one that was cut might be decided otherwise. */
const EVENT_CHARACTERS_MAX = 65_536;

/** Keeps the last events and what was decided on them, for `replay`. Processes may share the file. */
export class EventRecorder implements Disposable {
  readonly #options: EventRecorderOptions;
  #db: Database | undefined;
  #fault: SqliteError | undefined;

  /** Touches no file before the first event. */
  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Why the last event was not kept; undefined when it was. */
  get fault(): SqliteError | undefined {
    return this.#fault;
  }

  /** Never throws for the file's sake, since nobody waits for a record: see `fault`. */
  record(
    event: PolicyEvent,
    evaluation: Evaluation,
    { now, timezone, seed }: { now: number; timezone: string; seed: string },
  ): void {
    const body = JSON.stringify(event);
    if (body.length > EVENT_CHARACTERS_MAX) return;
    const decision = JSON.stringify(decisionRecord(evaluation));
    try {
      this.#keep([Math.floor(now), timezone, seed, body, decision]);
      this.#fault = undefined;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      this.#fault = error;
    }
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #keep(row: readonly (string | number)[]): void {
    // A power cut may lose the last ones; nothing depends on them.
    this.#db ??= Database.open(this.#options.path, {
      migrations: MIGRATIONS,
      synchronous: "NORMAL",
      secureDelete: true,
    });
    const db = this.#db;
    db.transaction(() => {
      const { lastInsertRowid } = db
        .prepare(
          "INSERT INTO decided (now, timezone, seed, event, decision) VALUES (?, ?, ?, ?, ?)",
        )
        .run(...row);
      db.prepare("DELETE FROM decided WHERE seq <= ?").run(
        Number(lastInsertRowid) - this.#options.eventsMax,
      );
    });
  }
}

/** Deletes, for good, what was recorded about these memories, if there is anything. @throws SqliteError */
export function dropEventsAbout(path: string, memoryIds: readonly string[]): void {
  if (!existsSync(path)) return;
  using db = Database.open(path, { migrations: MIGRATIONS, secureDelete: true });
  db.transaction(() => {
    const drop = db.prepare(
      "DELETE FROM decided WHERE json_extract(event, '$.context.memory_id') = ?",
    );
    for (const id of memoryIds) drop.run(id);
  });
  db.checkpoint();
}

/** Deletes what was recorded, if there is anything. */
export function dropRecordedEvents(path: string): void {
  for (const part of [path, `${path}-wal`, `${path}-shm`]) rmSync(part, { force: true });
}

/**
 * What was recorded since a time, oldest first.
 * @throws SqliteError when the file cannot be read; it must exist.
 */
export function readRecordedEvents(path: string, sinceMs: number): RecordedEvent[] {
  using db = Database.open(path, { migrations: MIGRATIONS });
  const rows = db.run(() =>
    db
      .prepare(
        "SELECT now, timezone, seed, event, decision FROM decided WHERE now >= ? ORDER BY seq",
      )
      .all(Math.floor(sinceMs)),
  ) as { now: number; timezone: string; seed: string; event: string; decision: string }[];
  return rows.map(({ now, timezone, seed, event, decision }) => ({
    now,
    timezone,
    seed,
    event: JSON.parse(event) as PolicyEvent,
    decision: JSON.parse(decision) as DecisionRecord,
  }));
}
