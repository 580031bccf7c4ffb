import { hash } from "node:crypto";
import type { Metadata, MetadataValue, Scalar, StoredRecord, Where } from "@holdfast/store";
import type { Filter, Scope } from "./memory-record.ts";

/** What a memory says, apart from where it stands. */
export interface MemoryContent {
  text: string;
  /** Lists only in another program's record. */
  metadata: Metadata;
  scope: Scope;
  tags: readonly string[];
  createdAt: number;
  updatedAt: number;
  expiresAt: number | undefined;
}

/** A record of the store, read back as one of ours. */
export interface DecodedRecord {
  revision: number;
  writer: string;
  checksum: string;
  /** Decoded when it is asked for. */
  readonly content: MemoryContent;
}

const PREFIX = "hf:";
/**
 * Revision, times, checksum and writer in one value: each key of a record's metadata is a row of
 * its own in Chroma's SQLite, and costs every write and every read.
 */
export const STAMP = "hf:stamp";
const STAMP_PARTS = /^(\d+) (\d+) (\d+) ([0-9a-f]+) (\S+)$/;
const EXPIRES = "hf:expires";
const TAG = "hf:tag:";
const SCOPE_KEYS: readonly (keyof Scope)[] = ["user", "agent", "session", "project"];

/**
 * The first 128 bits of SHA-256 over everything a memory says, as hexadecimal digits; equal
 * content, equal checksum.
 */
export function checksumOf(content: MemoryContent): string {
  const { text, metadata, scope, tags, createdAt, updatedAt, expiresAt } = content;
  const canonical = [
    text,
    Object.entries(metadata).toSorted(byKey),
    SCOPE_KEYS.map((key) => scope[key] ?? null),
    tags.toSorted(),
    createdAt,
    updatedAt,
    expiresAt ?? null,
  ];
  return hash("sha256", JSON.stringify(canonical)).slice(0, 32);
}

/** What JSON says, if it has the form of what a memory says; undefined for anything else. */
export function readContent(json: unknown): MemoryContent | undefined {
  if (!isObject(json)) return undefined;
  const { text, metadata, scope, tags, createdAt, updatedAt, expiresAt } = json;
  if (typeof text !== "string" || !isObject(metadata) || !isScope(scope) || !isTags(tags))
    return undefined;
  if (!isTime(createdAt) || !isTime(updatedAt)) return undefined;
  if (expiresAt !== undefined && !isTime(expiresAt)) return undefined;
  return { text, metadata: metadata as Metadata, scope, tags, createdAt, updatedAt, expiresAt };
}

/** The store's metadata for a memory: the user's keys as they are, ours under `hf:`. */
export function encodeMetadata(
  content: MemoryContent,
  revision: number,
  writer: string,
  checksum: string,
): Metadata {
  const encoded: Record<string, MetadataValue> = {
    ...content.metadata,
    [STAMP]: `${revision} ${content.createdAt} ${content.updatedAt} ${checksum} ${writer}`,
  };
  if (content.expiresAt !== undefined) encoded[EXPIRES] = content.expiresAt;
  for (const key of SCOPE_KEYS) {
    const value = content.scope[key];
    if (value !== undefined) encoded[PREFIX + key] = value;
  }
  for (const tag of content.tags) encoded[TAG + tag] = true;
  return encoded;
}

/** Reads one of our records; undefined for a record that another program wrote. */
export function decodeRecord(record: StoredRecord): DecodedRecord | undefined {
  const stamp = readStamp(record);
  if (stamp === undefined) return undefined;
  const { revision, writer, checksum } = stamp;
  return {
    revision,
    writer,
    checksum,
    get content() {
      return decodeContent(record);
    },
  };
}

interface Stamp {
  revision: number;
  createdAt: number;
  updatedAt: number;
  checksum: string;
  writer: string;
}

function readStamp({ metadata }: StoredRecord): Stamp | undefined {
  const stamp = metadata[STAMP];
  const parts = typeof stamp === "string" ? STAMP_PARTS.exec(stamp) : null;
  if (parts === null) return undefined;
  const [, revision, createdAt, updatedAt, checksum = "", writer = ""] = parts;
  return {
    revision: Number(revision),
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
    checksum,
    writer,
  };
}

/** What a record says, for ours as for another program's; times that it lacks are 0. */
export function decodeContent(record: StoredRecord): MemoryContent {
  const entries = Object.entries(record.metadata);
  const tags = entries.filter(([key]) => key.startsWith(TAG)).map(([key]) => key.slice(TAG.length));
  const scope: Scope = {};
  for (const key of SCOPE_KEYS) {
    const value = record.metadata[PREFIX + key];
    if (typeof value === "string") scope[key] = value;
  }
  const expiresAt = record.metadata[EXPIRES];
  const stamp = readStamp(record);
  return {
    text: record.document ?? "",
    metadata: Object.fromEntries(entries.filter(([key]) => !key.startsWith(PREFIX))),
    scope,
    tags: tags.toSorted(),
    createdAt: stamp?.createdAt ?? 0,
    updatedAt: stamp?.updatedAt ?? 0,
    expiresAt: typeof expiresAt === "number" ? expiresAt : undefined,
  };
}

/** A filter in the store's own terms. */
export function encodeFilter(filter: Filter): Where {
  const where: Record<string, Scalar> = { ...filter.where };
  for (const key of SCOPE_KEYS) {
    const value = filter.scope?.[key];
    if (value !== undefined) where[PREFIX + key] = value;
  }
  for (const tag of filter.tags ?? []) where[TAG + tag] = true;
  return where;
}

function byKey(a: [string, unknown], b: [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isScope = (value: unknown): value is Record<string, string> =>
  isObject(value) && Object.values(value).every((part) => typeof part === "string");
const isTags = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((tag) => typeof tag === "string");
const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
