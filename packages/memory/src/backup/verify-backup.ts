import { statSync } from "node:fs";
import type { BackupLine } from "./backup-line.ts";
import { invalid } from "./backup-error.ts";
import { readData } from "./data-file.ts";
import { basePathOf, dataPathOf, readManifest } from "./manifest.ts";
import type { Manifest, ManifestCollection, ManifestData } from "./manifest-schema.ts";
import type { BackupProgress } from "./backup-progress.ts";

/** One backup of a chain: an incremental one needs all those before it. */
export interface ChainLink {
  path: string;
  manifest: Manifest;
}

export interface VerifyReport {
  id: string;
  path: string;
  kind: Manifest["kind"];
  /** Wall-clock milliseconds of the state that it holds. */
  madeAt: number;
  partial: string | undefined;
  /** Memories of the state that it restores. */
  memories: number;
  /** Records of other programs. */
  others: number;
  /** Of every file that it needs. */
  bytes: number;
  /** Backups that it consists of: 1, or with its bases more. */
  chain: number;
  tookMs: number;
}

const CHAIN_MAX = 1_000;

/**
 * The backup at `path` after all those that it continues, the full one first.
 * @throws BackupError `BACKUP_NOT_FOUND`, `BACKUP_INVALID`.
 */
export function readChain(path: string): ChainLink[] {
  const chain: ChainLink[] = [{ path, manifest: readManifest(path) }];
  for (;;) {
    const [{ path: at, manifest }] = chain as [ChainLink];
    const basePath = basePathOf(at, manifest);
    if (basePath === undefined) return chain;
    if (chain.length === CHAIN_MAX) throw invalid(path, "it has too many bases");
    const base = readManifest(basePath);
    if (base.id !== manifest.base?.id)
      throw invalid(basePath, `it is not the backup that ${at} continues`);
    chain.unshift({ path: basePath, manifest: base });
  }
}

/**
 * Reads every byte of a backup and of all that it continues: seals, checksums, the shape of each
 * record, each memory's own checksum, counts.
 * @throws BackupError `BACKUP_NOT_FOUND`, `BACKUP_INVALID`.
 */
export async function verifyBackup(
  path: string,
  options: { signal?: AbortSignal; onProgress?: (progress: BackupProgress) => void } = {},
): Promise<VerifyReport> {
  const began = performance.now();
  const chain = readChain(path);
  const total = chain.reduce((sum, { manifest }) => sum + (manifest.data?.lines ?? 0), 0);
  let done = 0;
  for (const link of chain) {
    const { data } = link.manifest;
    if (data === undefined) continue;
    await verifyData(dataPathOf(link.path, link.manifest), link.manifest, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onLines: (lines) => {
        done += lines;
        options.onProgress?.({ stage: "verify", done, total });
      },
    });
  }
  return report(chain, performance.now() - began);
}

/** Compares a data file with the manifest that is, or will be, beside it. */
export async function verifyData(
  dataPath: string,
  manifest: Pick<Manifest, "collections" | "data">,
  options: { signal?: AbortSignal; onLines?: (lines: number) => void },
): Promise<void> {
  const census = new LineCensus(dataPath, manifest);
  const data = manifest.data as ManifestData;
  for await (const lines of readData(dataPath, data, options.signal)) {
    census.see(lines);
    options.onLines?.(lines.length);
  }
  census.requireComplete();
}

/** Counts what a data file holds, and compares it with what its manifest says. */
export class LineCensus {
  readonly #path: string;
  readonly #collection: ManifestCollection;
  readonly #seen: Record<BackupLine["t"], number> = {
    memory: 0,
    other: 0,
    removed: 0,
    forgotten: 0,
  };
  #withoutVector = 0;

  constructor(path: string, { collections, data }: Pick<Manifest, "collections" | "data">) {
    const [collection] = collections;
    if (data === undefined || collection === undefined) throw invalid(path, "it has no manifest");
    this.#path = path;
    this.#collection = collection;
  }

  /** @throws BackupError `BACKUP_INVALID` at a vector of another dimension. */
  see(lines: readonly BackupLine[]): void {
    for (const line of lines) {
      this.#seen[line.t] += 1;
      if (line.t === "memory" && line.vector === undefined) this.#withoutVector += 1;
      checkDimension(this.#path, line, this.#collection);
    }
  }

  /** @throws BackupError `BACKUP_INVALID`. */
  requireComplete(): void {
    const { memories, without_vector, others, removed, forgotten } = this.#collection;
    const counted: [string, number, number][] = [
      ["memories", this.#seen.memory, memories],
      ["memories without a vector", this.#withoutVector, without_vector],
      ["records of others", this.#seen.other, others],
      ["removed ids", this.#seen.removed, removed],
      ["forgotten ids", this.#seen.forgotten, forgotten],
    ];
    for (const [what, found, said] of counted)
      if (found !== said)
        throw invalid(this.#path, `it has ${found} ${what}; the manifest says ${said}`);
  }
}

/** Ours only: others may have filled a collection that our embedder is not meant for. */
function checkDimension(path: string, line: BackupLine, { embedder }: ManifestCollection): void {
  if (line.t !== "memory" || line.vector === undefined || embedder === undefined) return;
  const { length } = line.vector;
  if (length !== embedder.dimension)
    throw invalid(
      path,
      `a vector in it has ${length} dimensions; the manifest says ${embedder.dimension}`,
    );
}

function report(chain: readonly ChainLink[], tookMs: number): VerifyReport {
  const { path, manifest } = chain.at(-1) as ChainLink;
  const [collection] = manifest.collections;
  return {
    id: manifest.id,
    path,
    kind: manifest.kind,
    madeAt: Date.parse(manifest.created_at),
    partial: manifest.partial,
    memories: collection?.total ?? 0,
    others: collection?.others ?? 0,
    bytes: chain.reduce((sum, link) => sum + bytesOf(link), 0),
    chain: chain.length,
    tookMs,
  };
}

/** Of manifest and data. */
export function bytesOf({ path, manifest }: ChainLink): number {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) + (manifest.data?.bytes ?? 0);
}
