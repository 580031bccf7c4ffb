import type { Metadata } from "@holdfast/store";
import { checksumOf, type MemoryContent, readContent } from "../record-codec.ts";

/** A memory of this machine's, as the mirror held it. */
export interface MemoryLine {
  t: "memory";
  id: string;
  revision: number;
  content: MemoryContent;
  checksum: string;
  vector: Float32Array | undefined;
}

/** A record that another program wrote into the collection. */
export interface OtherLine {
  t: "other";
  id: string;
  document: string | null;
  metadata: Metadata;
  vector: Float32Array;
}

/** An id that was there in the base and is no more. */
export interface RemovedLine {
  t: "removed";
  id: string;
}

/** The tombstone of a forgotten id. */
export interface ForgottenLine {
  t: "forgotten";
  salt: number;
  hash: string;
  revision: number;
  at: number;
}

export type BackupLine = MemoryLine | OtherLine | RemovedLine | ForgottenLine;

/** One line of the data file, with its line break. Vectors are base64 of little-endian float32. */
export function formatLine(line: BackupLine): string {
  if (line.t === "memory") {
    const { vector, content, ...rest } = line;
    const { createdAt, updatedAt, expiresAt, ...said } = content;
    const at = [createdAt, updatedAt, expiresAt ?? null];
    return `${JSON.stringify({ ...rest, ...said, at, vector: vector ? toBase64(vector) : null })}\n`;
  }
  if (line.t === "other") return `${JSON.stringify({ ...line, vector: toBase64(line.vector) })}\n`;
  return `${JSON.stringify(line)}\n`;
}

/** Reads a line; undefined for one that does not say what a line must, or not truly. */
export function parseLine(text: string): BackupLine | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(raw)) return undefined;
  switch (raw["t"]) {
    case "memory":
      return parseMemory(raw);
    case "other":
      return parseOther(raw);
    case "removed":
      return isText(raw["id"]) ? { t: "removed", id: raw["id"] } : undefined;
    case "forgotten":
      return parseForgotten(raw);
    default:
      return undefined;
  }
}

function parseMemory(raw: Raw): MemoryLine | undefined {
  const { id, revision, at, checksum } = raw;
  if (!isText(id) || !isCount(revision) || !Array.isArray(at) || at.length !== 3) return undefined;
  const [createdAt, updatedAt, expiresAt] = at as unknown[];
  const content = readContent({ ...raw, createdAt, updatedAt, expiresAt: expiresAt ?? undefined });
  if (content === undefined || checksumOf(content) !== checksum) return undefined;
  const vector = raw["vector"] === null ? undefined : fromBase64(raw["vector"]);
  if (vector === undefined && raw["vector"] !== null) return undefined;
  return { t: "memory", id, revision, content, checksum, vector };
}

function parseOther(raw: Raw): OtherLine | undefined {
  const { id, document, metadata } = raw;
  const vector = fromBase64(raw["vector"]);
  if (!isText(id) || !isObject(metadata) || vector === undefined) return undefined;
  if (document !== null && typeof document !== "string") return undefined;
  return { t: "other", id, document, metadata: metadata as Metadata, vector };
}

function parseForgotten(raw: Raw): ForgottenLine | undefined {
  const { salt, hash, revision, at } = raw;
  const isHash = typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash);
  if (!isHash || !Number.isSafeInteger(salt) || !isCount(revision) || !isCount(at))
    return undefined;
  return { t: "forgotten", salt: salt as number, hash, revision, at };
}

type Raw = Record<string, unknown>;

const isObject = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function fromBase64(text: unknown): Float32Array | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  return new Float32Array(new Uint8Array(bytes).buffer);
}
