export {
  assertBatch,
  assertCollectionName,
  assertCount,
  assertMetadata,
  assertRecords,
  assertVector,
  lastOfEachId,
  sameEmbedder,
} from "./storable.ts";
export {
  StoreError,
  type StoreErrorCode,
  type StoreErrorOptions,
  type Verdict,
} from "./store-error.ts";
export type {
  CallOptions,
  CollectionInfo,
  CollectionSpec,
  Distance,
  EmbedderIdentity,
  Match,
  Metadata,
  MetadataValue,
  QueryOptions,
  ScanOptions,
  StoredRecord,
  StoreLimits,
  VectorCollection,
  VectorRecord,
  VectorStore,
  Where,
} from "./vector-store.ts";
