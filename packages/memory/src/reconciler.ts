import type { StoredRecord } from "@holdfast/store";
import type { Applier, Batch, PendingPut } from "./applier.ts";
import type { Journal } from "./journal.ts";
import type { MirrorRow } from "./mirror-row.ts";
import { decodeRecord } from "./record-codec.ts";
import type { StoreAccess } from "./store-access.ts";

const ROUNDS_MAX = 3;

/** Reads back ids whose write may surface late, and puts right what it finds wrong. */
export class Reconciler {
  readonly #journal: Journal;
  readonly #access: StoreAccess;
  readonly #applier: Applier;

  constructor(deps: { journal: Journal; access: StoreAccess; applier: Applier }) {
    this.#journal = deps.journal;
    this.#access = deps.access;
    this.#applier = deps.applier;
  }

  /**
   * Resolves to true once the store holds, for each of `ids`, what the mirror says: the newest
   * revision of a memory, nothing of a forgotten one. False when it would not hold still.
   */
  async reconcile(ids: readonly string[], signal: AbortSignal): Promise<boolean> {
    let left = ids;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const wrong = await this.#findWrong(left, signal);
      if (wrong.puts.length + wrong.forgets.length === 0) return true;
      await this.#applier.embed(wrong.puts, signal);
      await this.#applier.send(wrong, signal);
      left = [...wrong.puts.map((put) => put.row.id), ...wrong.forgets.map(({ id }) => id)];
    }
    return false;
  }

  async #findWrong(ids: readonly string[], signal: AbortSignal): Promise<Batch> {
    const records = await this.#access.read(async (inner) => {
      const collection = await this.#access.openForWrite(inner);
      return collection.get(ids, { signal: inner });
    }, signal);
    const found = new Map(records.map((record) => [record.id, record]));
    const { mirror, outbox } = this.#journal;
    const wrong: Batch = { puts: [], forgets: [] };
    for (const id of ids) {
      const record = found.get(id);
      const row = mirror.find(id);
      const applied = row !== undefined && row.appliedRevision >= row.revision;
      if (row !== undefined && (applied || outbox.newestQueued(id)?.operation === "put")) {
        const put = this.#correction(row, record);
        if (put !== undefined) wrong.puts.push(put);
      } else {
        const revision = mirror.tombstones.of(id)?.revision;
        if (revision !== undefined && isOurs(record, revision))
          wrong.forgets.push({ id, revision });
      }
    }
    return wrong;
  }

  /** What to send so that the store holds `row`; undefined when it does, or holds a newer one. */
  #correction(row: MirrorRow, record: StoredRecord | undefined): PendingPut | undefined {
    const wanted = this.#journal.mirror.encode(row);
    const surplus: string[] = [];
    if (record !== undefined) {
      const decoded = decodeRecord(record);
      if (decoded !== undefined && decoded.revision > row.revision) return undefined;
      surplus.push(...Object.keys(record.metadata).filter((key) => !Object.hasOwn(wanted, key)));
      const same = decoded?.revision === row.revision && decoded.checksum === row.checksum;
      if (same && record.document === row.content.text && surplus.length === 0) return undefined;
    }
    return {
      row: { ...row, sentKeys: [...row.sentKeys, ...surplus] },
      vector: this.#journal.mirror.vectorOf(row.memory),
    };
  }
}

/** A record of ours that is no newer than `revision`. */
function isOurs(record: StoredRecord | undefined, revision: number): boolean {
  const decoded = record && decodeRecord(record);
  return decoded !== undefined && decoded.revision <= revision;
}
