import type { CollectionForm, EmbedderIdentity } from "@holdfast/store";
import type { Schema } from "@holdfast/document";

export type Compression = "zstd" | "gzip";

/** A file that is carried along as text. */
export interface AttachedText {
  file: string;
  sha256: string;
  text: string;
}

export interface ManifestCollection {
  name: string;
  /** Which model made our vectors. */
  embedder?: EmbedderIdentity;
  /** What the collection was made with in the store; absent when there was none, or nobody knows. */
  form?: CollectionForm;
  /** The stretch of history that the watermark counts in. */
  lineage: string;
  writer: string;
  /** The last write and the last change that are in it. */
  watermark: { write: number; change: number };
  /** Memories of the state that it restores. */
  total: number;
  /** Of these, how many are in this file. */
  memories: number;
  without_vector: number;
  /** Writes that the store had not taken yet. */
  queued: number;
  /** Ids that are gone since the base. */
  removed: number;
  forgotten: number;
  /** Records of other programs. */
  others: number;
  /** Whether the whole store was read for them. */
  others_complete: boolean;
}

export interface ManifestData {
  file: string;
  compression: Compression;
  bytes: number;
  sha256: string;
  content_bytes: number;
  lines: number;
}

/** A backup's manifest, without the line that seals it. */
export interface Manifest {
  format: "holdfast-backup";
  version: 1;
  id: string;
  /** ISO 8601, UTC. */
  created_at: string;
  created_by: string;
  kind: "full" | "incremental" | "configuration";
  /** Why not everything is in it; absent when it is. */
  partial?: string;
  /** What an incremental backup continues. */
  base?: { id: string; file: string };
  collections: readonly ManifestCollection[];
  data?: ManifestData;
  configuration?: AttachedText;
  policies?: readonly AttachedText[];
}

const sha256 = { type: "string", pattern: "^[0-9a-f]{64}$" } as const;
const count = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const text = { type: "string" } as const;
const named = { type: "string", minLength: 1 } as const;

const embedder = {
  type: "object",
  additionalProperties: false,
  required: ["provider", "model", "dimension"],
  properties: { provider: named, model: named, dimension: { ...count, minimum: 1 } },
} as const;

const attached = {
  type: "object",
  additionalProperties: false,
  required: ["file", "sha256", "text"],
  properties: { file: named, sha256, text },
} as const;

/** What a manifest may say, apart from the line that seals it. */
export const manifestSchema: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["format", "version", "id", "created_at", "created_by", "kind", "collections"],
  properties: {
    format: { type: "string", enum: ["holdfast-backup"] },
    version: { type: "integer", enum: [1] },
    id: { type: "string", pattern: "^[0-9a-f-]{36}$" },
    created_at: {
      type: "string",
      pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$",
    },
    created_by: text,
    kind: { type: "string", enum: ["full", "incremental", "configuration"] },
    partial: named,
    base: {
      type: "object",
      additionalProperties: false,
      required: ["id", "file"],
      properties: { id: named, file: named },
    },
    collections: {
      type: "array",
      maxItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: [
          "name",
          "lineage",
          "writer",
          "watermark",
          "total",
          "memories",
          "without_vector",
          "queued",
          "removed",
          "forgotten",
          "others",
          "others_complete",
        ],
        properties: {
          name: named,
          embedder,
          form: {
            type: "object",
            additionalProperties: false,
            required: ["distance", "settings"],
            properties: {
              embedder,
              distance: { type: "string", enum: ["cosine", "l2", "ip"] },
              settings: { type: "object" },
            },
          },
          lineage: named,
          writer: named,
          watermark: {
            type: "object",
            additionalProperties: false,
            required: ["write", "change"],
            properties: { write: count, change: count },
          },
          total: count,
          memories: count,
          without_vector: count,
          queued: count,
          removed: count,
          forgotten: count,
          others: count,
          others_complete: { type: "boolean" },
        },
      },
    },
    data: {
      type: "object",
      additionalProperties: false,
      required: ["file", "compression", "bytes", "sha256", "content_bytes", "lines"],
      properties: {
        file: named,
        compression: { type: "string", enum: ["zstd", "gzip"] },
        bytes: count,
        sha256,
        content_bytes: count,
        lines: count,
      },
    },
    configuration: attached,
    policies: { type: "array", items: attached },
  },
} as const;
