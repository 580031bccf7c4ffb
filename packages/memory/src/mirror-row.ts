import type { Durability, MemoryRecord, Scope } from "./memory-record.ts";
import type { MemoryContent } from "./record-codec.ts";

/** Before Node 24 what is read as text ends at its first NUL: there it is asked for as bytes. */
const CUTS_TEXTS = Number.parseInt(process.versions.node) < 24;

/** Columns of a memory that may hold a NUL; all other texts are JSON, which escapes it. */
export const TEXT_COLUMNS: readonly string[] = [
  "text",
  "scope_user",
  "scope_agent",
  "scope_session",
  "scope_project",
];

/** A text column of a memory, to be read whole by {@link wholeText}. */
export function textColumn(name: string): string {
  return CUTS_TEXTS ? `CAST(memory.${name} AS BLOB) AS ${name}` : `memory.${name}`;
}

/** Those columns of a memory. */
export const TEXTS: string = TEXT_COLUMNS.map(textColumn).join(", ");

/** All columns of a memory; of two with one name a row has the later. */
export const MEMORY_COLUMNS: string = CUTS_TEXTS ? `memory.*, ${TEXTS}` : "memory.*";

/** What a column of {@link textColumn} gave. */
export type RawText = string | Uint8Array;

export function wholeText(text: RawText): string {
  return typeof text === "string" ? text : Buffer.from(text).toString("utf8");
}

/** A memory as the mirror holds it. */
export interface MirrorRow {
  /** The row's number: newer memories have higher ones. */
  memory: number;
  id: string;
  revision: number;
  appliedRevision: number;
  checksum: string;
  content: MemoryContent;
  /** Metadata keys, encoded, that the store may hold for this id. */
  sentKeys: readonly string[];
}

export interface RawContent {
  revision: number;
  text: RawText;
  metadata: string;
  scope_user: RawText | null;
  scope_agent: RawText | null;
  scope_session: RawText | null;
  scope_project: RawText | null;
  tags: string;
  created_at: number;
  updated_at: number;
  expires_at: number | null;
}

export interface RawRow extends RawContent {
  memory: number;
  id: string;
  checksum: string;
  applied_revision: number;
  sent_keys: string;
}

export interface RawRowWithDurability extends RawRow {
  durability: Durability;
}

export function toRow(raw: RawRow): MirrorRow {
  return {
    memory: raw.memory,
    id: raw.id,
    revision: raw.revision,
    appliedRevision: raw.applied_revision,
    checksum: raw.checksum,
    content: toContent(raw),
    sentKeys: JSON.parse(raw.sent_keys) as string[],
  };
}

export function toContent(raw: RawContent): MemoryContent {
  const scope: Scope = {};
  if (raw.scope_user !== null) scope.user = wholeText(raw.scope_user);
  if (raw.scope_agent !== null) scope.agent = wholeText(raw.scope_agent);
  if (raw.scope_session !== null) scope.session = wholeText(raw.scope_session);
  if (raw.scope_project !== null) scope.project = wholeText(raw.scope_project);
  return {
    text: wholeText(raw.text),
    metadata: JSON.parse(raw.metadata) as MemoryContent["metadata"],
    scope,
    tags: JSON.parse(raw.tags) as string[],
    createdAt: raw.created_at,
    updatedAt: raw.updated_at,
    expiresAt: raw.expires_at ?? undefined,
  };
}

export function toRecord(raw: RawRowWithDurability): MemoryRecord {
  return { id: raw.id, ...toContent(raw), revision: raw.revision, durability: raw.durability };
}

/** A vector out of its column. */
export function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
