import { randomUUID } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Clock } from "@holdfast/core";
import { StoreError } from "@holdfast/store";
import type { Drainer } from "../drainer.ts";
import type { Journal } from "../journal.ts";
import type { StoreAccess } from "../store-access.ts";
import { BackupError } from "./backup-error.ts";
import { BackupFolder } from "./backup-folder.ts";
import { BackupLog } from "./backup-log.ts";
import type { BackupFailpoint, BackupProgress } from "./backup-progress.ts";
import { CollectionWriter } from "./collection-writer.ts";
import { syncData, type WrittenData, writeData } from "./data-file.ts";
import { findBase, hasItsData } from "./find-base.ts";
import { currentLineage } from "./lineage.ts";
import { dataPathOf, readManifest, sha256 } from "./manifest.ts";
import type { Compression, Manifest } from "./manifest-schema.ts";
import { Snapshot } from "./snapshot.ts";
import { verifyData } from "./verify-backup.ts";

export interface BackupRequest {
  /** The manifest's path; the data goes beside it. */
  output: string;
  /** Replace a backup that has that name. Default false. */
  overwrite?: boolean;
  /** Default zstd. */
  compression?: Compression;
  /** Only what changed since the last backup in the same folder. Default false. */
  incremental?: boolean;
  /** Only configuration and policies. Default false. */
  configurationOnly?: boolean;
  /** Carried along as text: what is secret must be out of it already. */
  configuration?: { file: string; text: string };
  policies?: readonly { file: string; text: string }[];
  /** Names the program, for people. */
  createdBy?: string;
  onProgress?: (progress: BackupProgress) => void;
  signal?: AbortSignal;
}

/** The defaults of a {@link BackupRequest}. */
export const BACKUP_DEFAULTS: { compression: Compression } = { compression: "zstd" };

export interface BackupReport {
  id: string;
  /** The manifest. */
  path: string;
  kind: Manifest["kind"];
  /** Why an incremental backup became a full one; undefined when it did not. */
  fullBecause: string | undefined;
  /** Why not everything is in it; undefined when it is. */
  partial: string | undefined;
  /** Memories of the state that it restores, and of these those in this file. */
  memories: number;
  written: number;
  others: number;
  queued: number;
  /** Of manifest and data. */
  bytes: number;
  tookMs: number;
}

interface WriteDeps {
  journal: Journal;
  access: StoreAccess;
  drainer: Drainer;
  clock: Clock;
  failpoint: ((name: BackupFailpoint) => void) | undefined;
}

/**
 * Writes a backup: data and manifest under unfinished names, read back and compared, and only then
 * under their own. A crash leaves what was there before.
 * @throws BackupError `BACKUP_EXISTS`, `BACKUP_FAILED`, `BACKUP_BUSY`, `BACKUP_INVALID`.
 */
export async function writeBackup(request: BackupRequest, deps: WriteDeps): Promise<BackupReport> {
  const began = performance.now();
  const path = resolve(request.output);
  using folder = BackupFolder.open(dirname(path));
  if (existsSync(path) && request.overwrite !== true) throw exists(path);
  const replaced = existsSync(path) ? dataOf(path) : undefined;
  const id = randomUUID();
  const head = {
    format: "holdfast-backup",
    version: 1,
    id,
    created_at: new Date(deps.clock.now()).toISOString(),
    created_by: `${request.createdBy ?? "@holdfast/memory"}, Node ${process.versions.node}`,
  } as const;
  const part = request.configurationOnly
    ? { manifest: { kind: "configuration", collections: [] } as const, fullBecause: undefined }
    : await writeMemories(request, { id, path, folder, deps });
  const manifest: Manifest = { ...head, ...part.manifest, ...attached(request) };
  const name = basename(path);
  try {
    // What was forgotten meanwhile was kept from leaving the WAL.
    deps.journal.scour();
    const manifestBytes = await folder.writeManifest(name, manifest);
    deps.failpoint?.("manifest-written");
    if (manifest.data !== undefined) folder.finish(manifest.data.file);
    deps.failpoint?.("data-in-place");
    folder.finish(name);
    deps.failpoint?.("in-place");
    if (replaced !== undefined) rmSync(replaced, { force: true });
    const report = reportOf(path, manifest, manifestBytes);
    log(report, deps);
    return { ...report, fullBecause: part.fullBecause, tookMs: performance.now() - began };
  } finally {
    folder.discard(name);
    if (manifest.data !== undefined) folder.discard(manifest.data.file);
  }
}

interface Target {
  id: string;
  path: string;
  folder: BackupFolder;
  deps: WriteDeps;
}

/** The data file, written and compared, still under its unfinished name. */
async function writeMemories(
  request: BackupRequest,
  { id, path, folder, deps }: Target,
): Promise<{
  manifest: Pick<Manifest, "kind" | "collections" | "data" | "partial" | "base">;
  fullBecause: string | undefined;
}> {
  const { journal } = deps;
  const compression = request.compression ?? BACKUP_DEFAULTS.compression;
  const file = BackupFolder.dataName(path, id, compression);
  const unfinished = folder.unfinished(file);
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  try {
    await finishAnySwap(deps, request.signal);
    const lineage = currentLineage(journal.working.db, journal.collection, deps.clock.now());
    using snapshot = new Snapshot(journal);
    const { base, because } = request.incremental
      ? findBase(path, lineage, deps)
      : { base: undefined, because: undefined };
    const writer = new CollectionWriter(snapshot, base, request, deps);
    const written = await writeData(unfinished, writer.lines(), compression, signal);
    deps.failpoint?.("data-written");
    const { collection, partial } = writer.summary(lineage);
    requireSameHistory(lineage, deps);
    const manifest = {
      kind: base === undefined ? "full" : "incremental",
      ...(partial === undefined ? {} : { partial }),
      ...(base === undefined ? {} : { base: { id: base.manifest.id, file: basename(base.path) } }),
      collections: [collection],
      data: dataOfManifest(file, written),
    } as const;
    await Promise.all([syncData(unfinished), readBack(unfinished, manifest, request)]);
    return { manifest, fullBecause: because };
  } catch (error) {
    folder.discard(file);
    throw error;
  }
}

/** Until a restore that was cut off is finished, the store holds the state before it. */
async function finishAnySwap(
  { journal, drainer }: WriteDeps,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (journal.pendingSwap() === undefined) return;
  try {
    await drainer.exclusively(signal ?? new AbortController().signal, () => Promise.resolve());
  } catch (error) {
    // With the store away it is a partial backup, and says so.
    if (!(error instanceof StoreError)) throw error;
  }
}

/** What was read of the store, and what is known of its vectors, would be of another state. */
function requireSameHistory(lineage: string, { journal, clock }: WriteDeps): void {
  if (currentLineage(journal.working.db, journal.collection, clock.now()) === lineage) return;
  throw new BackupError("Memories were restored while they were backed up; nothing was written", {
    code: "BACKUP_BUSY",
    retryable: true,
    hint: "Run the command again.",
  });
}

const dataOfManifest = (file: string, written: WrittenData): Manifest["data"] & object => ({
  file,
  ...written,
});

/** Nothing is called a backup before it was read from the disk again. */
async function readBack(
  unfinished: string,
  manifest: Pick<Manifest, "collections" | "data">,
  request: BackupRequest,
): Promise<void> {
  let done = 0;
  const total = manifest.data?.lines ?? 0;
  await verifyData(unfinished, manifest, {
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    onLines: (lines) => {
      done += lines;
      request.onProgress?.({ stage: "verify", done, total });
    },
  });
}

/** The data of a backup that is about to be replaced, wherever it is beside it. */
function dataOf(path: string): string | undefined {
  try {
    const manifest = readManifest(path);
    return hasItsData({ path, manifest }) ? dataPathOf(path, manifest) : undefined;
  } catch (error) {
    if (error instanceof BackupError) return undefined;
    throw error;
  }
}

function attached(request: BackupRequest): Pick<Manifest, "configuration" | "policies"> {
  const seal = ({ file, text }: { file: string; text: string }) => ({
    file,
    sha256: sha256(text),
    text,
  });
  return {
    ...(request.configuration === undefined ? {} : { configuration: seal(request.configuration) }),
    ...(request.policies === undefined ? {} : { policies: request.policies.map(seal) }),
  };
}

type Made = Omit<BackupReport, "fullBecause" | "tookMs">;

function reportOf(path: string, manifest: Manifest, manifestBytes: number): Made {
  const [collection] = manifest.collections;
  return {
    id: manifest.id,
    path,
    kind: manifest.kind,
    partial: manifest.partial,
    memories: collection?.total ?? 0,
    written: collection?.memories ?? 0,
    others: collection?.others ?? 0,
    queued: collection?.queued ?? 0,
    bytes: manifestBytes + (manifest.data?.bytes ?? 0),
  };
}

function log({ id, path, kind, memories, bytes, partial }: Made, deps: WriteDeps): void {
  if (kind === "configuration") return;
  const now = deps.clock.now();
  deps.journal.decide(({ db }) =>
    new BackupLog(db, deps.journal.collection).add({
      id,
      path,
      memories,
      bytes,
      madeAt: now,
      verifiedAt: now,
      partial: partial ?? null,
    }),
  );
}

function exists(path: string): BackupError {
  return new BackupError(`There is a file ${path} already; nothing was written`, {
    code: "BACKUP_EXISTS",
    hint: "Name another with --output, or replace it with --force.",
  });
}
