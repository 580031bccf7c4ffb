import { randomUUID } from "node:crypto";
import type { CollectionSpec, VectorCollection } from "@holdfast/store";
import { StoreError, type VectorStore } from "@holdfast/store";
import type { Journal } from "../journal.ts";
import type { Tables } from "../tables.ts";
import type { ForgottenLine, MemoryLine } from "./backup-line.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import { lastNumber } from "./lineage.ts";
import type { TargetSink } from "./restore-target.ts";
import type { PreviousState } from "./swap-in.ts";

const STAGED = "--restore-";
export const REPLACED = "--replaced-";
const DROP_BATCH = 500;

/** How far a restore has come; it outlives the process, so that the next one can go on. */
export interface StagedState {
  /** Of what: the backup's id and all that changes what comes of it. */
  what: string;
  /** The collection in the store that is being filled. */
  name: string;
  /** The last write when it began: after another one it begins again. */
  seq: number;
  /** How many memories are staged in the journal, once all are; undefined before. */
  rows: number | undefined;
  /** Up to which memory (its row's number) the store is filled. */
  filled: number;
}

type Place = "staged" | "previous";

/** The place beside the mirror, and in the store, where a restore prepares the new state. */
export class Staging {
  readonly #journal: Journal;
  readonly #store: VectorStore;
  readonly #collection: string;

  constructor(journal: Journal, store: VectorStore, collection: string) {
    this.#journal = journal;
    this.#store = store;
    this.#collection = collection;
  }

  get state(): StagedState | undefined {
    return this.#journal.restoreState("staged") as StagedState | undefined;
  }

  /** Goes on where the same restore was cut off, if nothing was written since; or begins anew. */
  async begin(
    what: string,
    form: Omit<CollectionSpec, "name">,
    signal: AbortSignal,
  ): Promise<{ state: StagedState; fresh: VectorCollection; resumed: boolean }> {
    const { db } = this.#journal.working;
    const state = this.state;
    const isWhole = state !== undefined && state.rows === this.#journal.working.staged.count();
    if (isWhole && state.what === what && state.seq === lastNumber(db, "entry")) {
      const fresh = await this.#find(state.name, signal);
      if (fresh !== undefined) return { state, fresh, resumed: true };
    }
    await this.clear(signal);
    const name = `${this.#collection}${STAGED}${randomUUID().slice(0, 8)}`;
    const begun = { what, name, seq: lastNumber(db, "entry"), rows: undefined, filled: 0 };
    this.save(begun);
    const fresh = await this.#store.createCollection({ ...form, name }, { signal });
    return { state: begun, fresh, resumed: false };
  }

  save(state: StagedState): void {
    this.#journal.work(({ db }) => this.#journal.setRestoreState(db, "staged", state));
  }

  /** Takes a backup's memories in, under the revisions that they are to have here. */
  sink(reEmbed: boolean, skipped: (count: number) => void): TargetSink {
    const journal = this.#journal;
    return {
      put: (lines) => journal.work((tables) => lines.forEach((line) => put(tables, line, reEmbed))),
      remove: (ids) =>
        journal.work(({ staged }) => {
          for (const id of ids) {
            const row = staged.find(id);
            if (row !== undefined) staged.drop(row);
          }
        }),
      forgotten: (lines: readonly ForgottenLine[]) => {
        if (lines.length === 0) return;
        journal.work(({ db }) => new ForgottenIds(db, journal.collection).add(lines));
      },
      skipped,
    };
  }

  /** Removes what restores that were cut off have left, here and in the store. */
  async clear(signal: AbortSignal): Promise<void> {
    this.#dropAll("staged");
    const previous = this.#journal.restoreState("previous") as PreviousState | undefined;
    for (const { name } of await this.#store.listCollections({ signal })) {
      const isLeft =
        name.startsWith(this.#collection + STAGED) ||
        (name.startsWith(this.#collection + REPLACED) && name !== previous?.keptAs);
      if (isLeft) await this.#delete(name, signal);
    }
    this.#journal.work(({ db }) => this.#journal.setRestoreState(db, "staged", undefined));
  }

  /** Gives up the state before the last one: only one can be brought back. */
  async clearPrevious(signal: AbortSignal): Promise<void> {
    const previous = this.#journal.restoreState("previous") as PreviousState | undefined;
    this.#journal.decide(({ db }) => this.#journal.setRestoreState(db, "previous", undefined));
    this.#dropAll("previous");
    if (previous !== undefined) await this.#delete(previous.keptAs, signal);
  }

  async #find(name: string, signal: AbortSignal): Promise<VectorCollection | undefined> {
    return unlessMissing(() => this.#store.openCollection(name, { signal }));
  }

  async #delete(name: string, signal: AbortSignal): Promise<void> {
    await unlessMissing(() => this.#store.deleteCollection(name, { signal }));
  }

  #dropAll(place: Place): void {
    const some = (tables: Tables): number => {
      const rows = tables[place].page(0, DROP_BATCH);
      for (const row of rows) tables[place].drop(row);
      return rows.length;
    };
    while (this.#journal.work(some) > 0);
  }
}

/** What is remembered as it is keeps its revision; anything else is a new write of its id. */
function put({ mirror, outbox, staged }: Tables, line: MemoryLine, reEmbed: boolean): void {
  const { id, content, checksum } = line;
  const now = mirror.find(id);
  const same = now?.checksum === checksum;
  const known = same ? 0 : Math.max(mirror.revisionOf(id), outbox.newestRevision(id));
  const next = known === 0 ? line.revision : Math.max(known + 1, line.revision);
  staged.put(id, same ? now.revision : next, content, checksum);
  const row = staged.find(id);
  if (row === undefined || reEmbed) return;
  // A write that is replayed brings no vector; the one of the same text is known.
  const isKnown = now !== undefined && now.content.text === content.text;
  const vector = line.vector ?? (isKnown ? mirror.vectorOf(now.memory) : undefined);
  if (vector !== undefined) staged.keepVector(row, vector);
}

export async function unlessMissing<T>(body: () => Promise<T>): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof StoreError && error.code === "COLLECTION_NOT_FOUND") return undefined;
    throw error;
  }
}
