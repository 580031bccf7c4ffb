import { CircuitBreaker } from "@holdfast/breaker";
import { isDeepStrictEqual } from "node:util";
import type { Metadata, VectorCollection, VectorStore } from "@holdfast/store";
import { compareWithMirror, isApplied, isParallel } from "../compare.ts";
import { type MemoryParts, openParts } from "../create-memory.ts";
import type { Journal } from "../journal.ts";
import type { Embedder } from "../memory.ts";
import { BackupError } from "./backup-error.ts";
import type { OtherLine } from "./backup-line.ts";
import { type BackupCallOptions, createBackups } from "./create-backups.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import { NearestProbe } from "./nearest-probe.ts";
import { collectionOf, otherRecords, othersCount } from "./restore-target.ts";
import { type ChainLink, readChain } from "./verify-backup.ts";

const CALL = { timeoutMs: 60_000 };
const LISTED_MAX = 20;
/** Of the true nearest, the share that queries must find: the store's index is approximate. */
const RECALL_MIN = 0.9;

/** A place of its own to restore into, thrown away afterwards. */
export interface DrillScratch {
  /** An empty folder. */
  stateDirectory: string;
  /** An empty store. */
  store: VectorStore;
  /** Ends the store's database and starts it again; gives a new client. */
  reopen(): Promise<VectorStore>;
}

export interface DrillReport {
  /** Records compared after the reopening: text, metadata, hash and vector. */
  compared: number;
  /** Ids of records that the scratch store does not take: they were not tried. */
  refused: readonly string[];
  queries: number;
  /** The share of the true nearest ten that the queries found. */
  recall: number;
  tookMs: number;
}

/**
 * Restores a backup into scratch, reopens that, and compares what it then gives with the backup:
 * ids, hashes, texts, metadata, vectors, and the answers to sampled queries. `embedder` is asked
 * only for memories that were backed up before they had a vector.
 * @throws BackupError `DRILL_FAILED` naming what differs; `BACKUP_INVALID`, `BACKUP_NOT_FOUND`.
 */
export async function drillBackup(
  path: string,
  scratch: DrillScratch,
  embedder: Embedder,
  options: BackupCallOptions = {},
): Promise<DrillReport> {
  const began = performance.now();
  const chain = readChain(path);
  const { name, embedder: identity } = collectionOf(chain);
  const asBackedUp: Embedder = {
    identity: () => (identity === undefined ? embedder.identity() : Promise.resolve(identity)),
    embed: (texts, call) => embedder.embed(texts, call),
  };
  using breaker = new CircuitBreaker({ name: "drill", enabled: false });
  const settings = { stateDirectory: scratch.stateDirectory, collection: name };
  const deps = { store: scratch.store, embedder: asBackedUp, breaker };
  const backups = createBackups(settings, deps);
  let refused: readonly string[];
  try {
    ({ refused } = await backups.restore(await backups.plan(path, options), options));
  } finally {
    await backups.close();
  }
  const store = await scratch.reopen();
  const parts = openParts(settings, { ...deps, store });
  try {
    const reopened = await store.openCollection(name, CALL);
    const found = await examine({ chain, refused }, reopened, parts, options);
    return { ...found, tookMs: performance.now() - began };
  } finally {
    parts.journal.close();
    await store.close();
  }
}

/** The scratch mirror holds what the backup's lines said; the store must say the same. */
async function examine(
  restored: Restored,
  reopened: VectorCollection,
  { journal }: MemoryParts,
  { signal }: BackupCallOptions,
): Promise<Omit<DrillReport, "tookMs">> {
  const call = { ...CALL, ...(signal === undefined ? {} : { signal }) };
  const { mirror } = journal;
  const { compared, missing, different } = await compareWithMirror(reopened, mirror, call);
  const total = mirror.countApplied() + othersCount(restored.chain);
  const probe = new NearestProbe(total, reopened.info.distance);
  const refused = [...restored.refused];
  for (const row of mirror.rows()) {
    if (isApplied(row)) probe.sample(row.id, mirror.vectorOf(row.memory));
    else refused.push(row.id);
  }
  for await (const lines of othersOf(restored, journal, signal))
    for (const { id, vector } of lines) probe.sample(id, vector);
  for (const row of mirror.rows()) if (isApplied(row)) probe.rank(mirror.vectorOf(row.memory));
  const wrong = [...missing, ...different];
  let others = 0;
  for await (const lines of othersOf(restored, journal, signal)) {
    for (const { vector } of lines) probe.rank(vector);
    wrong.push(...(await differing(lines, reopened, call)));
    others += lines.length;
  }
  const all = compared + others;
  if (wrong.length > 0)
    throw failed(`${wrong.length} of ${all} differ: ${wrong.slice(0, LISTED_MAX).join(", ")}`);
  const count = await reopened.count(call);
  if (count !== all) throw failed(`it holds ${count} records instead of ${all}`);
  const { queries, recall, strangers } = await probe.ask(reopened, call);
  if (strangers.length > 0) throw failed(`a query for the memory ${strangers[0]} does not find it`);
  if (recall < RECALL_MIN)
    throw failed(`${queries} queries found only ${Math.round(recall * 100)} % of the nearest ten`);
  return { compared: all, refused, queries, recall };
}

interface Restored {
  chain: readonly ChainLink[];
  refused: readonly string[];
}

/** The other programs' records that were restored: ours win over theirs. */
async function* othersOf(
  { chain, refused }: Restored,
  { mirror, working, collection }: Journal,
  signal: AbortSignal | undefined,
): AsyncGenerator<OtherLine[]> {
  const left = new Set(refused);
  const forgotten = new ForgottenIds(working.db, collection, collectionOf(chain).name);
  for await (const lines of otherRecords(chain, forgotten, signal))
    yield lines.filter(({ id }) => !left.has(id) && mirror.find(id) === undefined);
}

/** The ids that the store does not hold as the backup has them. */
async function differing(
  lines: readonly OtherLine[],
  collection: VectorCollection,
  call: { timeoutMs: number; signal?: AbortSignal },
): Promise<string[]> {
  const ids = lines.map(({ id }) => id);
  const records = await collection.get(ids, { embeddings: true, ...call });
  const held = new Map(records.map((record) => [record.id, record]));
  const isHeld = ({ id, document, metadata, vector }: OtherLine): boolean => {
    const record = held.get(id);
    if (record?.embedding === undefined || !isParallel(vector, record.embedding)) return false;
    return record.document === document && isSaying(record.metadata, metadata);
  };
  return lines.filter((line) => !isHeld(line)).map(({ id }) => id);
}

/** Compared as JSON, which is what a backup keeps of them; the order of keys says nothing. */
function isSaying(found: Metadata, wanted: Metadata): boolean {
  const plain = (metadata: Metadata): unknown => JSON.parse(JSON.stringify(metadata));
  return isDeepStrictEqual(plain(found), plain(wanted));
}

function failed(what: string): BackupError {
  return new BackupError(`The drill failed: what was restored is not what was backed up: ${what}`, {
    code: "DRILL_FAILED",
    hint: "Make a new backup, and drill that: holdfast memory backup",
  });
}
