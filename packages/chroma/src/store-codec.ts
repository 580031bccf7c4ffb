import {
  assertWhere,
  type Metadata,
  type MetadataValue,
  type Scalar,
  StoreError,
  type StoredRecord,
  type VectorRecord,
  type Where,
} from "@holdfast/store";
import { exactNumberText } from "./store-number.ts";

/** A number that Chroma would change is stored as text, and recognised by this. */
const NUMBER_TAG = "hf:number:";
/** Goes before a text that would otherwise be taken for a tagged value. */
const TEXT_TAG = "hf:text:";

/** JSON of a metadata value that Chroma keeps exactly. */
function valueText(value: MetadataValue): string {
  if (isList(value)) return `[${value.map(memberText).join(",")}]`;
  if (typeof value === "number") {
    return exactNumberText(value) ?? JSON.stringify(NUMBER_TAG + String(value));
  }
  if (typeof value === "string" && (value.startsWith(NUMBER_TAG) || value.startsWith(TEXT_TAG))) {
    return JSON.stringify(TEXT_TAG + value);
  }
  return JSON.stringify(value);
}

/**
 * JSON of a list's member. A text among numbers would make it no list of one type.
 * @throws StoreError `STORE_REJECTED` for a number that Chroma would change.
 */
function memberText(value: Scalar): string {
  if (typeof value !== "number") return JSON.stringify(value);
  const text = exactNumberText(value);
  if (text !== undefined) return text;
  throw new StoreError(`Chroma would change the number ${value} in a list`, {
    code: "STORE_REJECTED",
  });
}

/** `Array.isArray` does not know of lists that cannot be written. */
function isList(value: MetadataValue): value is readonly Scalar[] {
  return Array.isArray(value);
}

/** What {@link valueText} wrote. Values of other programs stay as they are. */
function decodeValue(value: MetadataValue): MetadataValue {
  if (typeof value !== "string") return value;
  if (value.startsWith(NUMBER_TAG)) return Number(value.slice(NUMBER_TAG.length));
  if (value.startsWith(TEXT_TAG)) return value.slice(TEXT_TAG.length);
  return value;
}

/** Chroma merges metadata on upsert: only null takes a key away. */
function metadataText(record: VectorRecord): string {
  const fields = Object.entries(record.metadata).map(
    ([key, value]) => `${JSON.stringify(key)}:${valueText(value)}`,
  );
  for (const key of new Set(record.staleKeys)) {
    if (!Object.hasOwn(record.metadata, key)) fields.push(`${JSON.stringify(key)}:null`);
  }
  return `{${fields.join(",")}}`;
}

function vectorText(vector: Float32Array, base64: boolean): string {
  if (!base64) return JSON.stringify(Array.from(vector));
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return `"${bytes.toString("base64")}"`;
}

interface Columns {
  ids: string[];
  embeddings: string[];
  documents: string[];
  metadatas: string[];
  bytes: number;
}

const FRAME_BYTES = Buffer.byteLength(bodyText(newColumns()));

function newColumns(): Columns {
  return { ids: [], embeddings: [], documents: [], metadatas: [], bytes: 0 };
}

function bodyText({ ids, embeddings, documents, metadatas }: Columns): string {
  return `{"ids":[${ids.join(",")}],"embeddings":[${embeddings.join(",")}],"documents":[${documents.join(",")}],"metadatas":[${metadatas.join(",")}]}`;
}

/**
 * The bodies of an upsert, each of at most `bytesMax` bytes, in the order of the records.
 * @throws StoreError `STORE_REJECTED` for a record that fits into no request.
 */
export function upsertBodies(
  records: readonly VectorRecord[],
  bytesMax: number,
  base64: boolean,
): string[] {
  const parts: Columns[] = [];
  let part: Columns | undefined;
  for (const record of records) {
    const id = JSON.stringify(record.id);
    const embedding = vectorText(record.embedding, base64);
    const document = JSON.stringify(record.document);
    const metadata = metadataText(record);
    const bytes =
      Buffer.byteLength(id) +
      Buffer.byteLength(document) +
      Buffer.byteLength(metadata) +
      embedding.length +
      4;
    if (FRAME_BYTES + bytes > bytesMax) {
      throw new StoreError(`The record ${id} needs ${bytes} bytes; a request carries ${bytesMax}`, {
        code: "STORE_REJECTED",
        hint: "Split the text into several memories.",
      });
    }
    if (part === undefined || part.bytes + bytes > bytesMax) {
      part = { ...newColumns(), bytes: FRAME_BYTES };
      parts.push(part);
    }
    part.ids.push(id);
    part.embeddings.push(embedding);
    part.documents.push(document);
    part.metadatas.push(metadata);
    part.bytes += bytes;
  }
  return parts.map(bodyText);
}

/**
 * The filter as Chroma's JSON, or undefined when it matches everything.
 * @throws StoreError `STORE_REJECTED` for keys and values that no record can carry.
 */
export function whereText(where: Where | undefined): string | undefined {
  if (where === undefined) return undefined;
  assertWhere(where);
  const clauses = Object.entries(where).flatMap(([key, value]) => {
    const field = JSON.stringify(key);
    const equal = `{${field}:{"$eq":${valueText(value)}}}`;
    if (typeof value !== "number" || Number.isInteger(value)) return [equal];
    // Chroma compares integers with a fraction cut off: 1 would match 1.5.
    return [equal, `{${field}:{"$ne":${Math.trunc(value) + 0}}}`];
  });
  if (clauses.length < 2) return clauses[0];
  return `{"$and":[${clauses.join(",")}]}`;
}

/** One row of Chroma's column-wise answer. */
export function decodeRecord(
  id: string,
  document: string | null | undefined,
  metadata: Metadata | null | undefined,
): StoredRecord {
  return {
    id,
    document: document ?? null,
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([key, value]) => [key, decodeValue(value)]),
    ),
  };
}

/** Chroma writes a number that is not finite as null: it must not be read as zero. */
export function decodeVector(values: readonly (number | null)[]): Float32Array {
  const vector = new Float32Array(values.length);
  // A loop: `from` with a callback takes ten times as long, and every vector read comes by here.
  for (let at = 0; at < values.length; at += 1) vector[at] = values[at] ?? Number.NaN;
  return vector;
}
