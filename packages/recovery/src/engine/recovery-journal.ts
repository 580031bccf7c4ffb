import { Database, Lease } from "@holdfast/sqlite";
import type { CheckOutcome } from "../check.ts";
import type { Diagnosis, PlannedStep } from "../step.ts";
import type { Incident, IncidentState, IncidentStep, StepState } from "./incident.ts";
import { JournalHold } from "./journal-hold.ts";
import { type IncidentRow, MIGRATIONS, type NoteRow, type StepRow } from "./journal-schema.ts";

export interface IncidentQuery {
  service?: string;
  /** Those opened then or later, in wall-clock milliseconds. */
  since?: number;
  /** Default 20. */
  limit?: number;
}

/**
 * What recoveries do and did, in one SQLite file that outlives them. Anybody may read; to write,
 * take the hold of a service, which only one process at a time has.
 */
export class RecoveryJournal implements Disposable {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  /** Opens or creates the file. @throws SqliteError */
  static open(path: string): RecoveryJournal {
    return new RecoveryJournal(Database.open(path, { migrations: MIGRATIONS }));
  }

  /** Newest first. @throws SqliteError */
  incidents({ service, since, limit }: IncidentQuery = {}): Incident[] {
    const rows = this.#db.run(() =>
      this.#db
        .prepare(
          `SELECT * FROM incident WHERE (? IS NULL OR service = ?) AND opened_at >= ?
           ORDER BY opened_at DESC, rowid DESC LIMIT ?`,
        )
        .all(service ?? null, service ?? null, since ?? 0, limit ?? 20),
    ) as unknown as IncidentRow[];
    return rows.map((row) => this.#incident(row));
  }

  /** By its id, or by how the id begins if only one does; undefined when there is none. */
  incident(id: string): Incident | undefined {
    const rows = this.#db.run(() =>
      this.#db
        .prepare("SELECT * FROM incident WHERE substr(id, 1, length(?)) = ? LIMIT 2")
        .all(id, id),
    ) as unknown as IncidentRow[];
    const exact = rows.find((row) => row.id === id) ?? (rows.length === 1 ? rows[0] : undefined);
    return exact === undefined ? undefined : this.#incident(exact);
  }

  /** The incident that was cut off, or is being worked at. */
  unfinished(service: string): Incident | undefined {
    const row = this.#db.run(() =>
      this.#db
        .prepare("SELECT * FROM incident WHERE service = ? AND state = 'running'")
        .get(service),
    ) as unknown as IncidentRow | undefined;
    return row === undefined ? undefined : this.#incident(row);
  }

  /**
   * The right to recover a service for `durationMs` from `now`, a monotonic time; undefined while
   * another process has it.
   */
  hold(service: string, now: number, durationMs: number): JournalHold | undefined {
    const lease = new Lease(this.#db, `recover ${service}`);
    const grant = lease.tryAcquire(now, durationMs);
    return grant === undefined ? undefined : new JournalHold(this.#db, lease, grant.token, service);
  }

  /** Idempotent. */
  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #incident(row: IncidentRow): Incident {
    const steps = this.#db
      .prepare("SELECT * FROM step WHERE incident = ? ORDER BY ordinal")
      .all(row.id) as unknown as StepRow[];
    const notes = this.#db
      .prepare("SELECT at, step, message FROM note WHERE incident = ? ORDER BY rowid")
      .all(row.id) as unknown as NoteRow[];
    return {
      id: row.id,
      service: row.service,
      trigger: row.cause,
      state: row.state as IncidentState,
      since: row.since,
      openedAt: row.opened_at,
      closedAt: row.closed_at ?? undefined,
      message: row.message,
      hint: row.hint ?? undefined,
      resumed: row.resumed,
      diagnoses: JSON.parse(row.diagnoses) as Diagnosis[],
      steps: steps.map(stepOf),
      notes: notes.map(({ at, step, message }) => ({ at, step, message })),
      proof: row.proof === null ? undefined : (JSON.parse(row.proof) as CheckOutcome),
    };
  }
}

function stepOf(row: StepRow): IncidentStep {
  return {
    ordinal: row.ordinal,
    strategy: row.strategy,
    planned: JSON.parse(row.planned) as PlannedStep,
    state: row.state as StepState,
    attempts: row.attempts,
    remembered:
      row.remembered === null
        ? undefined
        : (JSON.parse(row.remembered) as NonNullable<IncidentStep["remembered"]>),
    message: row.message,
    beganAt: row.began_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  };
}
