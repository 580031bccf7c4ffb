import { StoreError } from "./store-error.ts";
import type { EmbedderIdentity, Metadata, VectorRecord, Where } from "./vector-store.ts";

/*
 * What the port promises to refuse before anything is sent. Every adapter calls these, so that a
 * record is storable or not whichever database is behind, and none is accepted and then lost.
 */

const COLLECTION_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$/;
const RESERVED_KEY = /^(?:\$|#|chroma:)/;

function rejected(message: string, hint?: string): StoreError {
  return new StoreError(message, {
    code: "STORE_REJECTED",
    ...(hint === undefined ? {} : { hint }),
  });
}

/** @throws StoreError `STORE_REJECTED`. */
export function assertCollectionName(name: string): void {
  if (COLLECTION_NAME.test(name)) return;
  throw rejected(
    `Not a collection name: ${JSON.stringify(name)}`,
    "Use 3 to 512 letters, digits, dots, hyphens and underscores; begin and end with a letter or digit.",
  );
}

/**
 * Finite numbers, as many as `dimension` when that is known.
 * @throws StoreError `STORE_REJECTED`.
 */
export function assertVector(vector: Float32Array, dimension: number | undefined): void {
  if (dimension !== undefined && vector.length !== dimension) {
    throw rejected(
      `The collection holds vectors of dimension ${dimension}, not ${vector.length}`,
      "Embed with the model that made the collection.",
    );
  }
  if (vector.length === 0) throw rejected("A vector has no numbers");
  for (const value of vector) {
    if (!Number.isFinite(value)) throw rejected(`A vector holds ${value}`);
  }
}

/**
 * A number that a database takes as a count.
 * @throws StoreError `STORE_REJECTED`.
 */
export function assertCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw rejected(`${name} must be a whole number from ${least}, not ${value}`);
}

/**
 * Keys that are not reserved; strings that are well-formed; finite numbers; lists of one of them.
 * @throws StoreError `STORE_REJECTED`, naming the key.
 */
export function assertMetadata(metadata: Metadata): void {
  for (const [key, value] of Object.entries(metadata)) {
    assertKey(key);
    if (Array.isArray(value) ? isList(value) : isValue(value)) continue;
    throw rejected(
      `The metadata value of ${JSON.stringify(key)} is not storable`,
      "Values are strings, finite numbers and booleans, or lists of one of them.",
    );
  }
}

/**
 * Keys that a record could carry, and single values.
 * @throws StoreError `STORE_REJECTED`, naming the key.
 */
export function assertWhere(where: Where): void {
  for (const [key, value] of Object.entries(where)) {
    assertKey(key);
    if (isValue(value)) continue;
    throw rejected(
      `${JSON.stringify(key)} cannot be compared with that`,
      "Filters name strings, finite numbers and booleans.",
    );
  }
}

function assertKey(key: string): void {
  if (key !== "" && !RESERVED_KEY.test(key) && key.isWellFormed()) return;
  throw rejected(
    `Not a metadata key: ${JSON.stringify(key)}`,
    "Keys are not empty and do not start with $, # or chroma:.",
  );
}

function isValue(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

function isList(values: readonly unknown[]): boolean {
  return (
    values.length > 0 &&
    values.every((value) => isValue(value) && typeof value === typeof values[0])
  );
}

/** @throws StoreError `STORE_REJECTED`, naming the record. */
export function assertRecords(
  records: readonly VectorRecord[],
  embedder: EmbedderIdentity | undefined,
  recordsMax: number,
): void {
  assertBatch("upsert", records.length, recordsMax);
  for (const record of records) {
    if (record.id === "" || !record.id.isWellFormed()) {
      throw rejected(`Not a record id: ${JSON.stringify(record.id)}`);
    }
    if (record.document?.isWellFormed() === false) {
      throw rejected(`The document of ${JSON.stringify(record.id)} is not well-formed Unicode`);
    }
    assertVector(record.embedding, embedder?.dimension);
    assertMetadata(record.metadata);
  }
}

/** @throws StoreError `STORE_REJECTED`. */
export function assertBatch(operation: string, size: number, recordsMax: number): void {
  if (size <= recordsMax) return;
  throw rejected(
    `One ${operation} carries at most ${recordsMax} records, not ${size}`,
    "Split it by the store's limits.batchRecordsMax.",
  );
}

/**
 * One record an id: the last one, which also drops whatever an earlier one in the call would have
 * dropped and it does not set.
 */
export function lastOfEachId(records: readonly VectorRecord[]): VectorRecord[] {
  const last = new Map<string, VectorRecord>();
  for (const record of records) {
    const earlier = last.get(record.id);
    const staleKeys = [...(earlier?.staleKeys ?? []), ...(record.staleKeys ?? [])];
    last.set(record.id, earlier === undefined ? record : { ...record, staleKeys });
  }
  return [...last.values()];
}

/**
 * Whether vectors of the two can be compared. An unknown identity, of a collection that another
 * program made, is taken on trust.
 */
export function sameEmbedder(
  left: EmbedderIdentity | undefined,
  right: EmbedderIdentity | undefined,
): boolean {
  if (left === undefined || right === undefined) return true;
  return (
    left.provider === right.provider &&
    left.model === right.model &&
    left.dimension === right.dimension
  );
}
