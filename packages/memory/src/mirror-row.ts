import type { Durability, MemoryRecord, Scope } from "./memory-record.ts";
import type { MemoryContent } from "./record-codec.ts";

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
  text: string;
  metadata: string;
  scope_user: string | null;
  scope_agent: string | null;
  scope_session: string | null;
  scope_project: string | null;
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
  if (raw.scope_user !== null) scope.user = raw.scope_user;
  if (raw.scope_agent !== null) scope.agent = raw.scope_agent;
  if (raw.scope_session !== null) scope.session = raw.scope_session;
  if (raw.scope_project !== null) scope.project = raw.scope_project;
  return {
    text: raw.text,
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
