import type { Journal } from "../journal.ts";
import type { StoreAccess } from "../store-access.ts";
import type { BackupLine } from "./backup-line.ts";
import type { BackupProgress } from "./backup-progress.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import type { ManifestCollection } from "./manifest-schema.ts";
import { holdsOnlyOurs, othersIn, type OthersOutcome } from "./others.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ChainLink } from "./verify-backup.ts";

const CALL_MS = 60_000;
/** Clocks of machines that share a backup may differ by so much. */
const CLOCK_SLACK_MS = 86_400_000;

interface Asked {
  onProgress?: (progress: BackupProgress) => void;
  signal?: AbortSignal;
}

interface WriterDeps {
  journal: Journal;
  access: StoreAccess;
}

/** What of a collection goes into the file, and what is counted of it meanwhile. */
export class CollectionWriter {
  readonly #snapshot: Snapshot;
  readonly #base: ChainLink | undefined;
  readonly #request: Asked;
  readonly #deps: WriterDeps;
  readonly #counts = { memories: 0, withoutVector: 0, removed: 0, forgotten: 0, others: 0 };
  readonly #outcome: OthersOutcome = { reason: undefined, scanned: 0 };

  constructor(snapshot: Snapshot, base: ChainLink | undefined, request: Asked, deps: WriterDeps) {
    this.#snapshot = snapshot;
    this.#base = base;
    this.#request = request;
    this.#deps = deps;
  }

  async *lines(): AsyncGenerator<BackupLine> {
    const counts = this.#counts;
    const total = this.#total();
    // Begun now, so that the store is looked through while the mirror is read: up to the first
    // record of another program, mostly to the end.
    const others = this.#others();
    const firstOther = others.next();
    firstOther.catch(() => undefined);
    let done = 0;
    for (const line of this.#ours()) {
      if (line.t === "memory") counts.memories += 1;
      else counts.removed += 1;
      if (line.t === "memory" && line.vector === undefined) counts.withoutVector += 1;
      done += 1;
      if (done % 500 === 0 || done === total) this.#tell("memories", done, total);
      yield line;
    }
    const { db } = this.#snapshot.tables;
    const forgotten = new ForgottenIds(db, this.#deps.journal.collection);
    for (const line of forgotten.since(this.#baseAt() - CLOCK_SLACK_MS)) {
      counts.forgotten += 1;
      yield line;
    }
    for (let next = await firstOther; next.done !== true; next = await others.next())
      yield next.value;
  }

  summary(lineage: string): { collection: ManifestCollection; partial: string | undefined } {
    const { journal, access } = this.#deps;
    const { mirror, outbox } = this.#snapshot.tables;
    const { memories, withoutVector, removed, forgotten, others } = this.#counts;
    const embedder = journal.embedder();
    const form = journal.form();
    const { reason } = this.#outcome;
    const collection = {
      name: access.collection,
      ...(embedder === undefined ? {} : { embedder }),
      ...(form === undefined ? {} : { form }),
      lineage,
      writer: journal.writer,
      watermark: this.#snapshot.watermark(),
      total: mirror.count(),
      memories,
      without_vector: withoutVector,
      queued: outbox.load().records,
      removed,
      forgotten,
      others,
      others_complete: reason === undefined,
    };
    const partial =
      reason === undefined
        ? undefined
        : `only what this machine holds: the store could not be read to its end (${reason})`;
    return { collection, partial };
  }

  #total(): number {
    return this.#base === undefined
      ? this.#snapshot.tables.mirror.count()
      : this.#snapshot.countChanges(this.#baseChange());
  }

  *#ours(): Generator<BackupLine> {
    if (this.#base === undefined) {
      yield* this.#snapshot.memories();
      return;
    }
    for (const { id, line } of this.#snapshot.changes(this.#baseChange()))
      yield line ?? { t: "removed", id };
  }

  async *#others(): AsyncGenerator<BackupLine> {
    const { journal, access } = this.#deps;
    const { mirror } = this.#snapshot.tables;
    const call = {
      timeoutMs: CALL_MS,
      ...(this.#request.signal === undefined ? {} : { signal: this.#request.signal }),
    };
    const [before] = this.#base?.manifest.collections ?? [];
    const none = before?.others === 0 && before.others_complete;
    if (none && (await holdsOnlyOurs({ journal, access, mirror }, call))) return;
    for await (const line of othersIn({ journal, access, mirror }, call, this.#outcome)) {
      this.#counts.others += 1;
      if (this.#counts.others % 500 === 0) this.#tell("others", this.#outcome.scanned, undefined);
      yield line;
    }
  }

  #baseChange(): number {
    return this.#base?.manifest.collections[0]?.watermark.change ?? 0;
  }

  #baseAt(): number {
    return this.#base === undefined ? 0 : Date.parse(this.#base.manifest.created_at);
  }

  #tell(stage: BackupProgress["stage"], done: number, total: number | undefined): void {
    this.#request.onProgress?.({ stage, done, total });
  }
}
