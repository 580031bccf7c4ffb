import { join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { Database } from "@holdfast/sqlite";

/** What a keeper is doing. `ready` alone means that the store answers. */
export type KeeperPhase =
  | "starting"
  | "installing"
  | "healing"
  | "ready"
  | "degraded"
  | "restarting"
  | "stopping"
  | "stopped";

export interface KeeperFailure {
  code: string;
  message: string;
  hint: string | undefined;
  /** Wall-clock milliseconds. */
  at: number;
}

export interface KeeperState {
  /** The keeper's process; undefined before the first one. */
  pid: number | undefined;
  /** With the pid it names one process; undefined where the system does not say. */
  processStart: string | undefined;
  phase: KeeperPhase;
  /** What it is doing in one line, or why the store is degraded. */
  detail: string;
  /** Wall-clock milliseconds at which it last said what it does; with each look it does. */
  changedAt: number;
  /** Milliseconds since then, whatever the wall clock has done meanwhile. */
  silentMs: number;
  /** Never stopped for being idle. */
  pinned: boolean;
  /** About to stop: nobody may attach any more. */
  draining: boolean;
  /** Wall-clock milliseconds of the last verified canary; undefined before the first. */
  canaryAt: number | undefined;
  /** What the keeper expects to go wrong, a line each; empty while nothing is foreseen. */
  foreseen: string[];
  /** Why the last keeper gave up; undefined while one runs well. */
  failure: KeeperFailure | undefined;
}

const MIGRATIONS = [
  `CREATE TABLE keeper (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     pid INTEGER,
     process_start TEXT,
     phase TEXT NOT NULL,
     detail TEXT NOT NULL,
     changed_at INTEGER NOT NULL,
     pinned INTEGER NOT NULL,
     draining INTEGER NOT NULL,
     canary_at INTEGER,
     failure TEXT,
     last_used_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE user (
     token TEXT PRIMARY KEY,
     pid INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT;
   INSERT INTO keeper VALUES (1, NULL, NULL, 'stopped', '', 0, 0, 0, NULL, NULL, 0);`,
  "ALTER TABLE keeper ADD COLUMN scrubbed_at INTEGER",
  "ALTER TABLE keeper ADD COLUMN foreseen TEXT NOT NULL DEFAULT '[]'",
  "ALTER TABLE keeper ADD COLUMN spoke_at INTEGER NOT NULL DEFAULT 0",
];

/** A row that seems to last for longer was written before the machine's last start. */
const USE_MS_MAX = 3_600_000;

interface KeeperRow {
  pid: number | null;
  process_start: string | null;
  phase: KeeperPhase;
  detail: string;
  changed_at: number;
  pinned: number;
  draining: number;
  canary_at: number | null;
  failure: string | null;
  last_used_at: number;
  scrubbed_at: number | null;
  foreseen: string;
  spoke_at: number;
}

/**
 * What a keeper and the users of its store tell each other. Who uses the store holds a row that
 * expires unless it is renewed; a keeper that is about to stop marks itself as draining in the
 * transaction that finds no user, so nobody attaches to a dying one.
 *
 * Who uses the store, and for how long nobody has, is counted in monotonic milliseconds: a wall
 * clock that is set must not end a server under its users.
 */
export class KeeperDatabase implements Disposable {
  readonly #db: Database;
  readonly #clock: Clock;

  private constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** @throws SqliteError */
  static open(stateDirectory: string, clock: Clock = systemClock): KeeperDatabase {
    // Losing the last moments of this in a power cut loses nothing: no process survives it.
    const db = Database.open(join(stateDirectory, "keeper.db"), {
      migrations: MIGRATIONS,
      synchronous: "NORMAL",
    });
    return new KeeperDatabase(db, clock);
  }

  read(): KeeperState {
    const row = this.#row();
    return {
      pid: row.pid ?? undefined,
      processStart: row.process_start ?? undefined,
      phase: row.phase,
      detail: row.detail,
      changedAt: row.changed_at,
      silentMs: Math.max(0, this.#monotonic() - row.spoke_at),
      pinned: row.pinned === 1,
      draining: row.draining === 1,
      canaryAt: row.canary_at ?? undefined,
      foreseen: JSON.parse(row.foreseen) as string[],
      failure: row.failure === null ? undefined : (JSON.parse(row.failure) as KeeperFailure),
    };
  }

  /** A keeper that has just taken the lock introduces itself. */
  begin(pid: number, processStart: string | undefined): void {
    const [now, at] = [this.#clock.now(), this.#monotonic()];
    this.#db.transaction(() => {
      this.#db.raw.prepare("DELETE FROM user WHERE expires_at > ?").run(at + USE_MS_MAX);
      this.#set(
        `pid = :pid, process_start = :start, phase = 'starting', detail = 'starting',
         changed_at = :now, spoke_at = :at, draining = 0, canary_at = NULL, foreseen = '[]',
         failure = NULL, last_used_at = :at`,
        { pid, start: processStart ?? null, now, at },
      );
    });
  }

  /** A keeper that has stopped its server says so, before it lets go of the lock. */
  end(failure?: KeeperFailure): void {
    const [now, at] = [this.#clock.now(), this.#monotonic()];
    this.#set(
      `phase = 'stopped', detail = '', changed_at = :now, spoke_at = :at, draining = 0, pinned = 0,
       foreseen = '[]', failure = :failure`,
      { now, at, failure: failure === undefined ? null : JSON.stringify(failure) },
    );
  }

  setPhase(phase: KeeperPhase, detail: string): void {
    const [now, at] = [this.#clock.now(), this.#monotonic()];
    this.#set("phase = :phase, detail = :detail, changed_at = :now, spoke_at = :at", {
      phase,
      detail,
      now,
      at,
    });
  }

  /** Wall-clock milliseconds at which the store was last compared with the mirror, to its end. */
  scrubbedAt(): number | undefined {
    return this.#row().scrubbed_at ?? undefined;
  }

  setScrubbed(): void {
    this.#set("scrubbed_at = :now", { now: this.#clock.now() });
  }

  setCanary(): void {
    this.#set("canary_at = :now", { now: this.#clock.now() });
  }

  setForeseen(lines: readonly string[]): void {
    this.#set("foreseen = :lines", { lines: JSON.stringify(lines) });
  }

  pin(pinned: boolean): void {
    this.#set("pinned = :pinned", { pinned: pinned ? 1 : 0 });
  }

  /** Adds or renews a user's row. False when the keeper is draining: wait for the next one. */
  use(token: string, pid: number, durationMs: number): boolean {
    const at = this.#monotonic();
    return this.#db.transaction(() => {
      if (this.#row().draining === 1) return false;
      this.#db.raw
        .prepare("INSERT OR REPLACE INTO user (token, pid, expires_at) VALUES (?, ?, ?)")
        .run(token, pid, at + durationMs);
      this.#db.raw.prepare("UPDATE keeper SET last_used_at = ?").run(at);
      return true;
    });
  }

  leave(token: string): void {
    this.#db.transaction(() => {
      this.#db.raw.prepare("DELETE FROM user WHERE token = ?").run(token);
      this.#db.raw.prepare("UPDATE keeper SET last_used_at = ?").run(this.#monotonic());
    });
  }

  users(): number {
    const at = this.#monotonic();
    return this.#db.run(
      () =>
        this.#db.raw.prepare("SELECT count(*) AS n FROM user WHERE expires_at > ?").get(at) as {
          n: number;
        },
    ).n;
  }

  /**
   * Marks the keeper as draining if it is not pinned and nobody has used the store for
   * `idleMs`. Returns whether it is.
   */
  drainIfIdle(idleMs: number): boolean {
    return this.#db.transaction(() => {
      const row = this.#row();
      if (row.pinned === 1) return false;
      const last = this.#db.raw
        .prepare(
          "SELECT max(last_used_at, coalesce((SELECT max(expires_at) FROM user), 0)) AS at FROM keeper",
        )
        .get() as { at: number };
      if (last.at + idleMs > this.#monotonic()) return false;
      this.#db.raw.exec("UPDATE keeper SET draining = 1; DELETE FROM user");
      return true;
    });
  }

  /** Marks the keeper as draining whoever uses it: it was told to stop. */
  drain(): void {
    this.#set("draining = 1, pinned = 0", {});
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #monotonic(): number {
    return Math.floor(this.#clock.monotonic());
  }

  #row(): KeeperRow {
    return this.#db.run(
      () => this.#db.raw.prepare("SELECT * FROM keeper").get() as unknown as KeeperRow,
    );
  }

  #set(assignments: string, parameters: Record<string, string | number | null>): void {
    this.#db.run(() => this.#db.raw.prepare(`UPDATE keeper SET ${assignments}`).run(parameters));
  }
}
