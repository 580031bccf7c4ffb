import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";
import { isKnownDead, ownIdentity } from "./process-identity.ts";

export interface LeaseGrant {
  /** Names this grant alone; a later grant of the same lease has another. */
  token: string;
  /** Monotonic milliseconds at which others may take the lease. */
  expiresAt: number;
  /** An earlier holder's token that was never released: what it was doing may be half done. */
  expiredToken: string | undefined;
}

/** Append this to a database's migrations before using {@link Lease} on it. */
export const LEASE_MIGRATION = `
  CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT`;

/** No grant is longer. */
const DURATION_MS_MAX = 3_600_000;
/** Who asks looked at the clock before it waited for the database: a grant may be of meanwhile. */
const ASKED_BEFORE_MS_MAX = 60_000;
/** What seems to be longer was given before the machine's last start. */
const LEFT_MS_MAX = DURATION_MS_MAX + ASKED_BEFORE_MS_MAX;

/**
 * A named, expiring right among processes of one machine that share a database. Unlike a kernel lock
 * it also passes on when its holder is stopped rather than dead, so a holder must prove that it
 * still holds (`isHeldBy`) in the same transaction that depends on it. All times are those of
 * `Clock.monotonic`: a wall clock that is set would take the right from whoever is at work, or
 * leave it for days with one that stands still.
 */
export class Lease {
  readonly #db: Database;
  readonly #name: string;

  constructor(db: Database, name: string) {
    this.#db = db;
    this.#name = name;
  }

  /**
   * Takes the lease for `durationMs`, an hour at most, from `now`; undefined when somebody else's
   * has not expired and its holder is not known to be dead.
   */
  tryAcquire(now: number, durationMs: number): LeaseGrant | undefined {
    return this.#db.transaction(() => this.take(now, durationMs));
  }

  /** {@link tryAcquire} for a caller that is inside an IMMEDIATE transaction already. */
  take(now: number, durationMs: number): LeaseGrant | undefined {
    const row = this.#row();
    const leftMs = row === undefined ? 0 : row.expires_at - now;
    if (row !== undefined && leftMs > 0 && leftMs <= LEFT_MS_MAX && !isKnownDead(row.holder)) {
      return undefined;
    }
    const grant = { token: randomUUID(), expiresAt: endOf(now, durationMs) };
    this.#db
      .prepare("INSERT OR REPLACE INTO lease (name, token, holder, expires_at) VALUES (?, ?, ?, ?)")
      .run(this.#name, grant.token, ownIdentity(), grant.expiresAt);
    return { ...grant, expiredToken: row?.token };
  }

  /** Extends a lease still held by `token`; false when it has passed to somebody else. */
  renew(token: string, now: number, durationMs: number): boolean {
    return this.#db.run(
      () =>
        this.#db
          .prepare("UPDATE lease SET expires_at = ? WHERE name = ? AND token = ?")
          .run(endOf(now, durationMs), this.#name, token).changes === 1,
    );
  }

  /** Whether `token` is still the holder's; call it inside the transaction that relies on it. */
  isHeldBy(token: string): boolean {
    return this.#row()?.token === token;
  }

  /** Gives the lease back; without effect when it has passed to somebody else. */
  release(token: string): void {
    this.#db.run(() =>
      this.#db.prepare("DELETE FROM lease WHERE name = ? AND token = ?").run(this.#name, token),
    );
  }

  #row(): LeaseRow | undefined {
    return this.#db
      .prepare("SELECT token, holder, expires_at FROM lease WHERE name = ?")
      .get(this.#name) as LeaseRow | undefined;
  }
}

function endOf(now: number, durationMs: number): number {
  return Math.ceil(now + Math.min(durationMs, DURATION_MS_MAX));
}

interface LeaseRow {
  token: string;
  holder: string;
  expires_at: number;
}
