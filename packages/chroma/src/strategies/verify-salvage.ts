import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { VectorCollection } from "@holdfast/store";
import { IndexFiles } from "../repairs/index-files.ts";
import { labelsOf } from "../repairs/index-labels.ts";
import { isDamage } from "../repairs/merge-survivors.ts";
import { RepairError } from "../repairs/repair-error.ts";
import type { SalvagedIndex } from "../repairs/salvage-index.ts";
import { vectorSegments } from "../repairs/vector-segments.ts";
import { ChromaStore } from "../store.ts";
import type { ServerEndpoint } from "../server/server-record.ts";

const TOLERANCE = 1e-6;
const LISTED_MAX = 10;

export interface SalvageProof {
  /** Vectors that the server handed back, each a finite one. */
  read: number;
  /** Of these, those that the damaged files still held, by whose they were. */
  compared: number;
}

/**
 * Reads a salvaged collection back from the server and compares it with the damaged files it was
 * made from: the same number of records, each with a vector, and each vector that the index held
 * equal in every component, within 1e-6 of its length, as far as the damaged SQLite still says whose
 * it was. The first read makes the server build the index.
 * @param aside the damaged directory, where it is now.
 * @throws RepairError `REPAIR_UNPROVEN`; StoreError.
 */
export async function verifySalvage(
  endpoint: ServerEndpoint,
  salvaged: SalvagedIndex,
  aside: string,
  signal: AbortSignal,
): Promise<SalvageProof> {
  const { tenant, database, collection: name } = salvaged;
  const store = new ChromaStore({ mode: "server", ...hostOf(endpoint), tenant, database });
  try {
    const collection = await store.openCollection(name, { signal });
    const count = await collection.count({ signal, timeoutMs: BUILD_LIMIT_MS });
    const expected = salvaged.fromIndex + salvaged.fromQueue;
    if (count < expected) throw unproven(name, `${count} of ${expected} records are there`);
    return await compareVectors(collection, salvaged, aside, signal);
  } finally {
    await store.close();
  }
}

/** Building an index of a million records takes minutes. */
const BUILD_LIMIT_MS = 30 * 60_000;

async function compareVectors(
  collection: VectorCollection,
  salvaged: SalvagedIndex,
  aside: string,
  signal: AbortSignal,
): Promise<SalvageProof> {
  const damaged = openDamaged(salvaged, aside);
  const proof = { read: 0, compared: 0 };
  const wrong: string[] = [];
  try {
    for await (const page of collection.scan({ embeddings: true, signal })) {
      for (const { id, embedding } of page) {
        const was = damaged?.vectorOf(id);
        proof.read += 1;
        if (was !== undefined) proof.compared += 1;
        const finite = embedding?.every((value) => Number.isFinite(value)) === true;
        if (!finite || (was !== undefined && !isSame(was, embedding))) wrong.push(id);
      }
    }
  } finally {
    damaged?.[Symbol.dispose]();
  }
  if (wrong.length === 0) return proof;
  const named = wrong.slice(0, LISTED_MAX).join(", ");
  throw unproven(salvaged.collection, `${wrong.length} vectors are not what they were (${named})`);
}

interface DamagedVectors extends Disposable {
  /** Undefined for records that were changed since, which the queue tells of. */
  vectorOf(id: string): Float32Array | undefined;
}

/** Undefined where nothing says whose the rows of the damaged index were. */
function openDamaged(salvaged: SalvagedIndex, aside: string): DamagedVectors | undefined {
  if (salvaged.labels === "queue") return undefined;
  try {
    return openNamed(salvaged, aside);
  } catch (error) {
    // SQLite was damaged as well, and was repaired in the copy alone.
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function openNamed(salvaged: SalvagedIndex, aside: string): DamagedVectors | undefined {
  using database = new DatabaseSync(join(aside, "chroma.sqlite3"), { readOnly: true });
  const segment = vectorSegments(database).find((each) => each.segment === salvaged.segment);
  if (segment?.dimension === undefined) return undefined;
  const queued = database
    .prepare("SELECT DISTINCT id FROM embeddings_queue WHERE topic LIKE '%/' || ?")
    .all(segment.collectionId) as { id: string }[];
  const changed = new Set(queued.map(({ id }) => id));
  const folder = join(aside, segment.segment);
  const files = new IndexFiles(folder, { ...segment, dimension: segment.dimension });
  const close = (): void => files[Symbol.dispose]();
  try {
    const { rowOf } = labelsOf(folder, files, database, segment, "proved before");
    return {
      vectorOf: (id) => {
        // What the queue has changed since is its own.
        const row = changed.has(id) ? undefined : rowOf.get(id);
        return row === undefined ? undefined : files.vectorAt(row);
      },
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function isSame(was: Float32Array, now: Float32Array): boolean {
  const scale = Math.hypot(...was) || 1;
  return (
    was.length === now.length &&
    was.every((value, i) => Math.abs(value - (now[i] as number)) <= TOLERANCE * scale)
  );
}

function hostOf({ host, port }: ServerEndpoint): { host: string; port: number } {
  return { host, port };
}

function unproven(collection: string, why: string): RepairError {
  return new RepairError(`The salvaged collection ${collection} is not proved: ${why}`, {
    code: "REPAIR_UNPROVEN",
    hint: "The damaged directory was put back. Restore a backup: holdfast memory restore",
  });
}
