import type { DatabaseSync } from "node:sqlite";
import type { Space } from "./index-files.ts";

/** One collection's vector index, as the catalogue describes it. */
export interface VectorSegment {
  segment: string;
  collection: string;
  collectionId: string;
  tenant: string;
  database: string;
  /** Undefined before the first record. */
  dimension: number | undefined;
  space: Space;
  neighbours: number;
  /** The last operation that the persisted index holds; undefined when it never was persisted. */
  persisted: number | undefined;
  /** The last operation that was applied to texts and metadata. */
  metadataSegment: string;
  applied: number;
}

interface SegmentRow {
  segment: string;
  collection: string;
  collectionId: string;
  tenant: string;
  database: string;
  dimension: number | null;
  persisted: number | null;
  metadataSegment: string;
  applied: number | null;
}

/** Every collection's vector index. @throws SQLite errors. */
export function vectorSegments(database: DatabaseSync): VectorSegment[] {
  const rows = database
    .prepare(
      `SELECT vector.id AS segment, collections.name AS collection, collections.id AS collectionId,
              databases.tenant_id AS tenant, databases.name AS "database", collections.dimension,
              (SELECT seq_id FROM max_seq_id WHERE segment_id = vector.id) AS persisted,
              metadata.id AS metadataSegment,
              (SELECT seq_id FROM max_seq_id WHERE segment_id = metadata.id) AS applied
       FROM segments AS vector
       JOIN collections ON collections.id = vector.collection
       JOIN databases ON databases.id = collections.database_id
       JOIN segments AS metadata
         ON metadata.collection = collections.id AND metadata.scope = 'METADATA'
       WHERE vector.scope = 'VECTOR'`,
    )
    .all() as unknown as SegmentRow[];
  return rows.map((row) => ({
    ...row,
    dimension: row.dimension ?? undefined,
    persisted: row.persisted ?? undefined,
    applied: row.applied ?? 0,
    ...indexShape(database, row.collectionId),
  }));
}

const NEIGHBOURS = 16;

/**
 * Builds have kept the index's configuration in three places: the schema (1.2 on), the
 * configuration (1.0 on), and the metadata (before).
 */
function indexShape(
  database: DatabaseSync,
  collection: string,
): { space: Space; neighbours: number } {
  const row = database.prepare("SELECT * FROM collections WHERE id = ?").get(collection) as {
    schema_str?: string | null;
    config_json_str?: string | null;
  };
  const schema = parsed(row.schema_str);
  const config = parsed(row.config_json_str);
  const inSchema = at(schema, "keys", "#embedding", "float_list", "vector_index", "config");
  const inConfig = at(config, "vector_index", "hnsw") ?? at(config, "hnsw_configuration");
  const legacy = legacyMetadata(database, collection);
  const space = at(inSchema, "space") ?? at(inConfig, "space") ?? legacy.get("hnsw:space");
  const neighbours =
    at(inSchema, "hnsw", "max_neighbors") ??
    at(inConfig, "max_neighbors") ??
    at(inConfig, "M") ??
    legacy.get("hnsw:M");
  return {
    space: space === "cosine" || space === "ip" ? space : "l2",
    neighbours: typeof neighbours === "number" ? neighbours : NEIGHBOURS,
  };
}

function legacyMetadata(database: DatabaseSync, collection: string): Map<string, unknown> {
  const rows = database
    .prepare(
      `SELECT key, coalesce(str_value, int_value, float_value) AS value FROM collection_metadata
       WHERE collection_id = ? AND key LIKE 'hnsw:%'`,
    )
    .all(collection) as { key: string; value: unknown }[];
  return new Map(rows.map(({ key, value }) => [key, value]));
}

function parsed(text: string | null | undefined): unknown {
  if (text === null || text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Whoever repairs cannot choose what the damage left.
    return undefined;
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here ?? undefined;
}
