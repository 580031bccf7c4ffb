import { statSync } from "node:fs";
import type { Metadata } from "@holdfast/store";
import { accepting } from "./journal-fault.ts";
import { MemoryError } from "./memory-error.ts";
import type { MemoryChanges, Scope } from "./memory-record.ts";
import type { Mirror } from "./mirror.ts";
import { checksumOf, type MemoryContent } from "./record-codec.ts";
import type { Tables } from "./tables.ts";

/** Bounds; past them a write is refused (queued ones) or the oldest is dropped (stored ones). */
export interface OutboxBounds {
  /** Queued writes at most. Default 100,000. */
  recordsMax: number;
  /** Bytes of queued writes at most. Default 256 MiB. */
  bytesMax: number;
  /** Stored writes that are kept for replay. Default 100,000. */
  keptRecordsMax: number;
  /** Bytes of stored writes that are kept for replay. Default 64 MiB. */
  keptBytesMax: number;
}

/** A put before it has a revision. */
export interface Draft {
  id: string;
  text: string;
  metadata: Metadata;
  scope: Scope;
  tags: readonly string[];
  expiresAt: number | undefined;
}

export interface Accepted {
  id: string;
  revision: number;
  seq: number;
}

/** Called at the named points of the write path; a test ends the process there. */
export type Failpoint = (
  name: "before-commit" | "after-commit" | "before-send" | "after-apply" | "before-mark",
) => void;

interface AcceptanceDeps {
  /** Commits with fsync. */
  tables: Tables;
  /** Commits without: for looking, before a transaction is opened. */
  working: Tables;
  path: string;
  bounds: OutboxBounds;
  failpoint: Failpoint | undefined;
}

/** Accepts writes: mirror and outbox in one transaction, durable when a method returns. */
export class Acceptance {
  readonly #tables: Tables;
  readonly #working: Tables;
  readonly #path: string;
  readonly #bounds: OutboxBounds;
  readonly #failpoint: Failpoint | undefined;
  /** Which file it was when it was opened. */
  readonly #inode: number;

  constructor({ tables, working, path, bounds, failpoint }: AcceptanceDeps) {
    this.#tables = tables;
    this.#working = working;
    this.#path = path;
    this.#bounds = bounds;
    this.#failpoint = failpoint;
    this.#inode = statSync(path).ino;
  }

  /** Accepts puts, all or none; durable when this returns. @throws MemoryError */
  puts(drafts: readonly Draft[], now: number): Accepted[] {
    return this.#accept(drafts.length, () => drafts.map((draft) => this.#put(draft, now)));
  }

  /** As `puts`, of drafts that are made from what is remembered at that moment. */
  putsOf(make: (tables: Tables) => readonly Draft[], now: number): Accepted[] {
    return this.#accept(1, () => make(this.#tables).map((draft) => this.#put(draft, now)));
  }

  /** Accepts changes to a memory. @throws MemoryError `MEMORY_NOT_FOUND` and as `puts`. */
  changes(id: string, changes: MemoryChanges, now: number, erase = false): Accepted {
    const [accepted] = this.#accept(1, () => {
      const row = this.#tables.mirror.find(id);
      if (row === undefined || (row.content.expiresAt ?? Number.POSITIVE_INFINITY) <= now) {
        throw new MemoryError(`No memory has the id ${JSON.stringify(id)}`, {
          code: "MEMORY_NOT_FOUND",
          hint: "List what is remembered with: holdfast memory list",
        });
      }
      if (erase) this.#erase(id);
      return [this.#put({ id, ...changed(row.content, changes, now) }, now, !erase)];
    });
    return accepted as Accepted;
  }

  /**
   * Accepts forgetting; ids that are unknown, or forgotten already, are left out, unless `foreign`
   * says which revision of theirs the store holds: 0 for another program's record. Of ids that
   * `revisions` names, those whose memory is at that revision alone.
   */
  forgets(
    ids: readonly string[],
    now: number,
    foreign: ReadonlyMap<string, number>,
    revisions?: ReadonlyMap<string, number>,
  ): Accepted[] {
    const { mirror, besides } = this.#tables;
    return this.#accept(ids.length, () =>
      ids.flatMap((id) => {
        const theirs = foreign.get(id);
        const isHere = [mirror, ...besides].some((copy) => copy.find(id) !== undefined);
        if (!isHere && theirs === undefined) return [];
        if (!isAtRevision(mirror, id, revisions)) return [];
        return [this.#forget(id, now, theirs)];
      }),
    );
  }

  /**
   * Accepts forgetting what has expired, `most` at a time and as far as there is room: a full
   * outbox must not be kept from draining. Chosen inside, so that no lifetime that another process
   * has just prolonged is cut off. Returns how many.
   */
  expired(now: number, most: number): number {
    const { mirror, outbox } = this.#tables;
    if (this.#working.mirror.expiredIds(now, 1).length === 0) return 0;
    return this.#accept(0, () => {
      const { records, bytes } = outbox.load();
      let room = this.#bounds.bytesMax - bytes;
      return mirror
        .expiredIds(now, Math.max(0, Math.min(most, this.#bounds.recordsMax - records)))
        .flatMap((id) => {
          room -= Buffer.byteLength(id);
          return room < 0 ? [] : [this.#forget(id, now, undefined)];
        });
    }).length;
  }

  #accept(writes: number, body: () => Accepted[]): Accepted[] {
    const accepted = accepting(() =>
      this.#tables.db.transaction(() => {
        this.#requireInPlace();
        const result = body();
        if (writes > 0) this.#requireRoom();
        this.#failpoint?.("before-commit");
        return result;
      }),
    );
    this.#failpoint?.("after-commit");
    return accepted;
  }

  /** Takes what an id said so far from everywhere but the mirror, which is written over. */
  #erase(id: string): void {
    this.#tables.outbox.scrub(id);
    for (const mirrored of this.#tables.besides) {
      const copy = mirrored.find(id);
      if (copy !== undefined) mirrored.drop(copy);
    }
  }

  /** `keep`: what the store holds, for when this write is given up. */
  #put(draft: Draft, now: number, keep = true): Accepted {
    const { mirror, outbox } = this.#tables;
    const before = mirror.find(draft.id);
    if (keep && before !== undefined && before.appliedRevision === before.revision) {
      outbox.keep(draft.id, before.revision, JSON.stringify(before.content), now);
    }
    // After a restore was undone, an id's writes may be ahead of its memory.
    const known = Math.max(mirror.revisionOf(draft.id), outbox.newestRevision(draft.id));
    const revision = known + 1;
    const content: MemoryContent = {
      text: draft.text,
      metadata: draft.metadata,
      scope: draft.scope,
      tags: [...new Set(draft.tags)].toSorted(),
      createdAt: before?.content.createdAt ?? now,
      updatedAt: now,
      expiresAt: draft.expiresAt,
    };
    mirror.put(draft.id, revision, content, checksumOf(content));
    const payload = JSON.stringify(content);
    const seq = outbox.append({
      id: draft.id,
      revision,
      operation: "put",
      payload,
      bytes: Buffer.byteLength(payload) + Buffer.byteLength(draft.id),
      now,
    });
    return { id: draft.id, revision, seq };
  }

  #forget(id: string, now: number, theirRevision: number | undefined): Accepted {
    const { mirror, outbox } = this.#tables;
    const row = mirror.find(id);
    const known = [mirror.revisionOf(id), outbox.newestRevision(id), theirRevision ?? 0];
    if (row !== undefined) mirror.drop(row);
    for (const mirrored of this.#tables.besides) {
      const copy = mirrored.find(id);
      if (copy === undefined) continue;
      // The store may hold this one, too.
      known.push(copy.revision);
      mirrored.drop(copy);
    }
    const revision = Math.max(...known) + 1;
    mirror.tombstones.raise(id, { revision, sentKeys: row?.sentKeys ?? [] }, now);
    outbox.scrub(id);
    const seq = outbox.append({
      id,
      revision,
      operation: "forget",
      payload: null,
      bytes: Buffer.byteLength(id),
      now,
    });
    return { id, revision, seq };
  }

  /** A file that was set aside meanwhile must not accept anything more. */
  #requireInPlace(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw new MemoryError(`The outbox was replaced while it was open: ${this.#path}`, {
      code: "OUTBOX_CORRUPT",
      retryable: true,
      hint: "Nothing was accepted. Close the memory and open it again.",
    });
  }

  /** Looks at what would be queued; the transaction that queued it is undone if that is too much. */
  #requireRoom(): void {
    const { records, bytes } = this.#tables.outbox.load();
    const { recordsMax, bytesMax } = this.#bounds;
    if (records <= recordsMax && bytes <= bytesMax) return;
    throw new MemoryError(
      `The outbox is full: with these, ${records} writes (${bytes} bytes) would wait for the store; ` +
        `the bounds are ${recordsMax} writes and ${bytesMax} bytes`,
      {
        code: "OUTBOX_FULL",
        retryable: true,
        hint: "Bring the store back (holdfast memory status says what is wrong), or raise outbox.records_max.",
      },
    );
  }
}

function changed(content: MemoryContent, changes: MemoryChanges, now: number): Omit<Draft, "id"> {
  const { ttlMs } = changes;
  const expiresAt =
    ttlMs === undefined ? content.expiresAt : ttlMs === null ? undefined : expiryOf(now, ttlMs);
  return {
    text: changes.text ?? content.text,
    metadata: changes.metadata ?? content.metadata,
    scope: content.scope,
    tags: changes.tags ?? content.tags,
    expiresAt,
  };
}

/** Wall-clock milliseconds, whole ones. */
export function expiryOf(now: number, ttlMs: number): number {
  return Math.ceil(now + ttlMs);
}

/** Whether `revisions` leaves a memory to be forgotten: it names none for it, or the present one. */
export function isAtRevision(
  mirror: Mirror,
  id: string,
  revisions: ReadonlyMap<string, number> | undefined,
): boolean {
  const wanted = revisions?.get(id);
  return wanted === undefined || mirror.find(id)?.revision === wanted;
}
