import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";

export interface LeaseGrant {
  /** Names this grant alone; a later grant of the same lease has another. */
  token: string;
  /** Wall-clock milliseconds at which others may take the lease. */
  expiresAt: number;
  /** The token of an earlier holder whose lease expired unreleased: its outcome is unknown. */
  expiredToken: string | undefined;
}

/** Append this to a database's migrations before using {@link Lease} on it. */
export const LEASE_MIGRATION = `
  CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT`;

/**
 * A named, expiring right among processes that share a database. Unlike a kernel lock it also
 * passes on when its holder is stopped rather than dead, so a holder must prove that it still
 * holds (`isHeldBy`) in the same transaction that depends on it.
 */
export class Lease {
  readonly #db: Database;
  readonly #name: string;

  constructor(db: Database, name: string) {
    this.#db = db;
    this.#name = name;
  }

  /** Takes the lease for `durationMs` from `now`, or returns undefined when it is held. */
  tryAcquire(now: number, durationMs: number): LeaseGrant | undefined {
    return this.#db.transaction(() => {
      const row = this.#row();
      if (row !== undefined && row.expires_at > now) return undefined;
      const grant = { token: randomUUID(), expiresAt: now + durationMs };
      this.#db.raw
        .prepare("INSERT OR REPLACE INTO lease (name, token, expires_at) VALUES (?, ?, ?)")
        .run(this.#name, grant.token, grant.expiresAt);
      return { ...grant, expiredToken: row?.token };
    });
  }

  /** Extends a lease still held by `token`; false when it has passed to somebody else. */
  renew(token: string, now: number, durationMs: number): boolean {
    return this.#db.run(
      () =>
        this.#db.raw
          .prepare("UPDATE lease SET expires_at = ? WHERE name = ? AND token = ?")
          .run(now + durationMs, this.#name, token).changes === 1,
    );
  }

  /** Whether `token` is still the holder's; call it inside the transaction that relies on it. */
  isHeldBy(token: string): boolean {
    return this.#row()?.token === token;
  }

  /** Gives the lease back; without effect when it has passed to somebody else. */
  release(token: string): void {
    this.#db.run(() =>
      this.#db.raw.prepare("DELETE FROM lease WHERE name = ? AND token = ?").run(this.#name, token),
    );
  }

  #row(): { token: string; expires_at: number } | undefined {
    return this.#db.raw
      .prepare("SELECT token, expires_at FROM lease WHERE name = ?")
      .get(this.#name) as { token: string; expires_at: number } | undefined;
  }
}
