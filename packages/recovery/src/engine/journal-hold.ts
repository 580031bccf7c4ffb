import { randomBytes } from "node:crypto";
import type { Database, Lease } from "@holdfast/sqlite";
import type { CheckOutcome, Json } from "../check.ts";
import { RecoveryError } from "../recovery-error.ts";
import type { IncidentState, StepState } from "./incident.ts";
import type { RecoveryPlan } from "./plan.ts";

/** Older ones are forgotten. */
const INCIDENTS_KEPT_MAX = 1_000;

/**
 * The right to recover one service, and to write about it. It is a lease: a process that was
 * stopped for too long may have lost it to another, and each write proves that it has not.
 */
export class JournalHold {
  readonly #db: Database;
  readonly #lease: Lease;
  readonly #token: string;
  readonly #service: string;

  constructor(db: Database, lease: Lease, token: string, service: string) {
    this.#db = db;
    this.#lease = lease;
    this.#token = token;
    this.#service = service;
  }

  /**
   * From `now`, a monotonic time; every other `now` here is a wall clock's.
   * @throws RecoveryError `RECOVERY_LEASE_LOST`, as every method here does.
   */
  renew(now: number, durationMs: number): void {
    if (!this.#lease.renew(this.#token, now, durationMs)) throw lost(this.#service);
  }

  /** For what changes the service and not the journal. */
  assertHeld(): void {
    this.#write(() => undefined);
  }

  release(): void {
    this.#lease.release(this.#token);
  }

  /**
   * Begins an incident and returns its id. A further attempt at the same trouble, by when that was
   * noticed, goes on with the incident of the last one.
   */
  open(trigger: string, since: number, now: number): string {
    const same = this.#reopen(since);
    if (same !== undefined) return same;
    const id = incidentId(now);
    this.#write(() => {
      this.#db
        .prepare(
          `INSERT INTO incident (id, service, cause, state, since, opened_at)
           VALUES (?, ?, ?, 'running', ?, ?)`,
        )
        .run(id, this.#service, trigger, since, now);
      this.#db
        .prepare(
          `DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE service = ?
           ORDER BY rowid DESC LIMIT -1 OFFSET ?)`,
        )
        .run(this.#service, INCIDENTS_KEPT_MAX);
    });
    return id;
  }

  #reopen(since: number): string | undefined {
    return this.#write(() => {
      const row = this.#db
        .prepare(
          `UPDATE incident SET state = 'running', closed_at = NULL
           WHERE service = ? AND since = ? AND state IN ('failed', 'refused') RETURNING id`,
        )
        .get(this.#service, since) as { id: string } | undefined;
      return row?.id;
    });
  }

  resume(incident: string): void {
    this.#write(() =>
      this.#db.prepare("UPDATE incident SET resumed = resumed + 1 WHERE id = ?").run(incident),
    );
  }

  /** A new plan replaces what is left of the last one. Returns the ordinal of its first step. */
  plan(incident: string, plan: RecoveryPlan): number {
    return this.#write(() => {
      this.#db
        .prepare("UPDATE step SET state = 'skipped' WHERE incident = ? AND state = 'planned'")
        .run(incident);
      this.#db
        .prepare("UPDATE incident SET diagnoses = ? WHERE id = ?")
        .run(JSON.stringify(plan.diagnoses), incident);
      const { first } = this.#db
        .prepare("SELECT coalesce(max(ordinal) + 1, 0) AS first FROM step WHERE incident = ?")
        .get(incident) as { first: number };
      const insert = this.#db.prepare(
        "INSERT INTO step (incident, ordinal, strategy, planned) VALUES (?, ?, ?, ?)",
      );
      for (const [index, { strategy, step }] of plan.steps.entries()) {
        insert.run(incident, first + index, strategy, JSON.stringify(step));
      }
      return first;
    });
  }

  stepBegins(incident: string, ordinal: number, now: number): void {
    this.#write(() =>
      this.#db
        .prepare(
          `UPDATE step SET state = 'running', attempts = attempts + 1,
           began_at = coalesce(began_at, ?) WHERE incident = ? AND ordinal = ?`,
        )
        .run(now, incident, ordinal),
    );
  }

  stepEnds(
    incident: string,
    ordinal: number,
    { state, message }: { state: StepState; message: string },
    now: number,
  ): void {
    this.#write(() =>
      this.#db
        .prepare(
          "UPDATE step SET state = ?, message = ?, ended_at = ? WHERE incident = ? AND ordinal = ?",
        )
        .run(state, message, now, incident, ordinal),
    );
  }

  remember(incident: string, ordinal: number, state: { readonly [key: string]: Json }): void {
    this.#write(() => {
      const row = this.#db
        .prepare("SELECT remembered FROM step WHERE incident = ? AND ordinal = ?")
        .get(incident, ordinal) as { remembered: string | null } | undefined;
      const before = JSON.parse(row?.remembered ?? "{}") as { [key: string]: Json };
      this.#db
        .prepare("UPDATE step SET remembered = ? WHERE incident = ? AND ordinal = ?")
        .run(JSON.stringify({ ...before, ...state }), incident, ordinal);
    });
  }

  note(incident: string, ordinal: number, message: string, now: number): void {
    this.#write(() =>
      this.#db
        .prepare("INSERT INTO note (incident, step, at, message) VALUES (?, ?, ?, ?)")
        .run(incident, ordinal, now, message),
    );
  }

  proved(incident: string, proof: CheckOutcome): void {
    this.#write(() =>
      this.#db
        .prepare("UPDATE incident SET proof = ? WHERE id = ?")
        .run(JSON.stringify(proof), incident),
    );
  }

  close(
    incident: string,
    end: { state: IncidentState; message: string; hint?: string | undefined },
    now: number,
  ): void {
    this.#write(() => {
      this.#db
        .prepare("UPDATE step SET state = 'skipped' WHERE incident = ? AND state = 'planned'")
        .run(incident);
      this.#db
        .prepare("UPDATE incident SET state = ?, message = ?, hint = ?, closed_at = ? WHERE id = ?")
        .run(end.state, end.message, end.hint ?? null, now, incident);
    });
  }

  #write<T>(work: () => T): T {
    return this.#db.transaction(() => {
      if (!this.#lease.isHeldBy(this.#token)) throw lost(this.#service);
      return work();
    });
  }
}

function lost(service: string): RecoveryError {
  return new RecoveryError(`Another process has taken over the recovery of ${service}`, {
    code: "RECOVERY_LEASE_LOST",
    hint: "This one stood still for too long. The journal says what the other does; let it end.",
  });
}

/** Sorts by time, and can be read out: `20260122-101530-1a2b`. */
function incidentId(now: number): string {
  const [day = "", time = ""] = new Date(now).toISOString().split("T");
  const clock = time.slice(0, 8).replaceAll(":", "");
  return `${day.replaceAll("-", "")}-${clock}-${randomBytes(2).toString("hex")}`;
}
