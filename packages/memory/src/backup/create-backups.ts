import { type MemoryDeps, type MemoryParts, openParts } from "../create-memory.ts";
import type { MemoryOptions } from "../memory-options.ts";
import type { Embedder } from "../memory.ts";
import { UnderWay } from "../under-way.ts";
import { BackupLog, type LoggedBackup } from "./backup-log.ts";
import type { BackupFailpoint, BackupProgress } from "./backup-progress.ts";
import { planRestore, planUndo, type RestoreDifference } from "./restore-plan.ts";
import { collectionOf, requireReplayable, takenAt } from "./restore-target.ts";
import { usableEmbedder } from "./restore-embedder.ts";
import { type RestoreReport, runRestore } from "./run-restore.ts";
import { previousState, runUndo, type UndoReport } from "./run-undo.ts";
import { type ChainLink, readChain, verifyBackup, type VerifyReport } from "./verify-backup.ts";
import { type BackupReport, type BackupRequest, writeBackup } from "./write-backup.ts";

/** How long work may take to tell, and to be ended. */
export interface BackupCallOptions {
  onProgress?: (progress: BackupProgress) => void;
  signal?: AbortSignal;
}

export interface RestoreOptions extends BackupCallOptions {
  /**
   * The state of this moment, wall-clock milliseconds: the backup and the writes that this machine
   * accepted since. Default: the backup's own.
   */
  toTime?: number;
  /** Compute all vectors anew, with the embedder in use. Default false. */
  reEmbed?: boolean;
}

/** What a restore would do; nothing has changed yet. */
export interface RestorePlan {
  path: string;
  /** Wall-clock milliseconds of the state. */
  madeAt: number;
  /** The name that the backed up collection had. */
  from: string;
  partial: string | undefined;
  difference: RestoreDifference;
  /** @internal What the restore goes by. */
  readonly order: RestoreOrder;
}

interface RestoreOrder {
  chain: readonly ChainLink[];
  toTime: number | undefined;
  reEmbed: boolean;
  seq: number;
}

export interface UndoPlan {
  /** When the state that would come back was replaced, wall-clock milliseconds. */
  replacedAt: number;
  difference: RestoreDifference;
  /** The last write that the plan knows. */
  seq: number;
}

/** Backups of one memory. It works beside whoever else uses that memory. */
export interface Backups extends AsyncDisposable {
  /** @throws BackupError `BACKUP_EXISTS`, `BACKUP_FAILED`, `BACKUP_BUSY`, `BACKUP_INVALID`. */
  backup(request: BackupRequest): Promise<BackupReport>;
  /** Reads every byte. @throws BackupError `BACKUP_NOT_FOUND`, `BACKUP_INVALID`. */
  verify(path: string, options?: BackupCallOptions): Promise<VerifyReport>;
  /**
   * Verifies a backup and says what restoring it would change.
   * @throws BackupError `BACKUP_NOT_FOUND`, `BACKUP_INVALID`, `POINT_IN_TIME_UNAVAILABLE`;
   * MemoryError `EMBEDDER_MISMATCH`.
   */
  plan(path: string, options?: RestoreOptions): Promise<RestorePlan>;
  /**
   * Carries a plan out: prepares beside what is there, compares, swaps. What is written after the
   * plan was made stays, on top. Cut off, it goes on where it was when it is planned and run again.
   * @throws BackupError `RESTORE_REFUSED`; StoreError when the store is away.
   */
  restore(plan: RestorePlan, options?: BackupCallOptions): Promise<RestoreReport>;
  /** @throws BackupError `RESTORE_UNDO_MISSING`. */
  planUndo(): UndoPlan;
  /**
   * Brings back what the last restore has replaced.
   * @throws as `planUndo`; BackupError `RESTORE_REFUSED`; StoreError.
   */
  undo(plan: UndoPlan, options?: Pick<BackupCallOptions, "signal">): Promise<UndoReport>;
  /** Backups made from here, newest first. */
  list(): LoggedBackup[];
  /** Notes a drill that succeeded. */
  noteDrill(id: string, tookMs: number): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface BackupDeps extends Omit<MemoryDeps, "failpoint"> {
  /** For tests: called at the named points. */
  failpoint?: (name: BackupFailpoint) => void;
}

/** Opens the backups of the memory that `createMemory` opens with the same options. */
export function createBackups(options: MemoryOptions, deps: BackupDeps): Backups {
  const { failpoint, ...rest } = deps;
  return new BackupService(openParts(options, rest), deps.embedder, failpoint);
}

class BackupService implements Backups {
  readonly #deps: MemoryParts & {
    embedder: Embedder;
    failpoint: ((name: BackupFailpoint) => void) | undefined;
  };
  readonly #underWay = new UnderWay("The backup service");

  constructor(
    parts: MemoryParts,
    embedder: Embedder,
    failpoint: ((name: BackupFailpoint) => void) | undefined,
  ) {
    this.#deps = { ...parts, embedder, failpoint };
  }

  backup(request: BackupRequest): Promise<BackupReport> {
    const signal = this.#underWay.until(request.signal);
    return this.#underWay.track(() => writeBackup({ ...request, signal }, this.#deps));
  }

  verify(path: string, options: BackupCallOptions = {}): Promise<VerifyReport> {
    return this.#underWay.track(async () => {
      const report = await verifyBackup(path, {
        ...options,
        signal: this.#underWay.until(options.signal),
      });
      this.#log((log) => log.noteVerified(report.id, this.#deps.clock.now()));
      return report;
    });
  }

  plan(path: string, options: RestoreOptions = {}): Promise<RestorePlan> {
    return this.#underWay.track(() => this.#plan(path, options));
  }

  restore(plan: RestorePlan, options: BackupCallOptions = {}): Promise<RestoreReport> {
    const { seq, ...order } = plan.order;
    return this.#underWay.track(() =>
      runRestore(
        { ...order, ...options, sinceSeq: seq },
        this.#deps,
        this.#underWay.until(options.signal),
      ),
    );
  }

  planUndo(): UndoPlan {
    this.#underWay.requireOpen();
    const { journal } = this.#deps;
    return { replacedAt: previousState(journal).at, ...planUndo(journal) };
  }

  undo(plan: UndoPlan, options: { signal?: AbortSignal } = {}): Promise<UndoReport> {
    return this.#underWay.track(() =>
      runUndo(plan.seq, this.#deps, this.#underWay.until(options.signal)),
    );
  }

  list(): LoggedBackup[] {
    this.#underWay.requireOpen();
    const { journal } = this.#deps;
    return new BackupLog(journal.working.db, journal.collection).list();
  }

  noteDrill(id: string, tookMs: number): void {
    this.#underWay.requireOpen();
    this.#log((log) => log.noteDrill(id, this.#deps.clock.now(), tookMs));
  }

  async close(): Promise<void> {
    await this.#underWay.close();
    this.#deps.journal.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #plan(path: string, options: RestoreOptions): Promise<RestorePlan> {
    const { journal } = this.#deps;
    const { toTime, reEmbed = false } = options;
    const signal = this.#underWay.until(options.signal);
    const told = options.onProgress === undefined ? {} : { onProgress: options.onProgress };
    const chain = readChain(path);
    const { name } = collectionOf(chain);
    await usableEmbedder({ chain, reEmbed }, this.#deps);
    const { collection, working } = journal;
    if (toTime !== undefined) requireReplayable(chain, toTime, { db: working.db, collection });
    // Every byte is read for it, and checked.
    const { difference, seq } = await planRestore(chain, toTime, journal, { ...told, signal });
    return {
      path,
      madeAt: toTime ?? takenAt(chain.at(-1) as ChainLink),
      from: name,
      partial: chain.at(-1)?.manifest.partial,
      difference,
      order: { chain, toTime, reEmbed, seq },
    };
  }

  #log(body: (log: BackupLog) => void): void {
    const { journal } = this.#deps;
    journal.decide(({ db }) => body(new BackupLog(db, journal.collection)));
  }
}
