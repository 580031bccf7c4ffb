export { BackupError, type BackupErrorCode } from "./backup/backup-error.ts";
export {
  type BackupFolderListing,
  type FoundBackup,
  listBackups,
  pruneBackups,
  type PruneReport,
  type UnreadableBackup,
} from "./backup/backup-catalogue.ts";
export type { LoggedBackup } from "./backup/backup-log.ts";
export type { BackupFailpoint, BackupProgress } from "./backup/backup-progress.ts";
export {
  type BackupCallOptions,
  type BackupDeps,
  type Backups,
  createBackups,
  type RestoreOptions,
  type RestorePlan,
  type UndoPlan,
} from "./backup/create-backups.ts";
export { drillBackup, type DrillReport, type DrillScratch } from "./backup/drill.ts";
export type { PlanSample, RestoreDifference } from "./backup/restore-plan.ts";
export type { RestoreReport } from "./backup/run-restore.ts";
export type { UndoReport } from "./backup/run-undo.ts";
export type {
  AttachedText,
  Compression,
  Manifest,
  ManifestCollection,
  ManifestData,
} from "./backup/manifest-schema.ts";
export { readManifest } from "./backup/manifest.ts";
export { type Retention, RETENTION_DEFAULTS } from "./backup/retention.ts";
export { dueAt } from "./backup/schedule.ts";
export { verifyBackup, type VerifyReport } from "./backup/verify-backup.ts";
export { BACKUP_DEFAULTS, type BackupReport, type BackupRequest } from "./backup/write-backup.ts";
export { createMemory, type MemoryDeps } from "./create-memory.ts";
export { decoratedMemory } from "./decorated-memory.ts";
export { MEMORY_DEFAULTS, type MemoryOptions } from "./memory-options.ts";
export type { Failpoint, OutboxBounds } from "./acceptance.ts";
export type {
  BackupStatus,
  Comparison,
  DeadLetter,
  DrainReport,
  Embedder,
  Ledger,
  Memory,
  MemoryStatus,
  OthersStatus,
  OutboxStatus,
  RebuildOptions,
  RebuildReport,
  SalvageStatus,
} from "./memory.ts";
export {
  MemoryError,
  type MemoryErrorCode,
  MemoryServiceUnavailableError,
} from "./memory-error.ts";
export type {
  AddOptions,
  Durability,
  Filter,
  ForgetOptions,
  ForgetResult,
  GetResult,
  Hit,
  ListOptions,
  ListResult,
  MemoryChanges,
  MemoryRecord,
  NewMemory,
  RecallSource,
  Receipt,
  Scope,
  SearchOptions,
  SearchResult,
  UpdateOptions,
  WriteOptions,
} from "./memory-record.ts";
export {
  MEMORY_OPERATIONS,
  memoryMetrics,
  type MemoryMetricsOptions,
  memoryOutcomeClass,
  STORE_OPERATIONS,
} from "./metrics-mapping.ts";
export { redactContent, redactedMemory } from "./redaction/redacted-memory.ts";
export {
  createRedactor,
  type NamedPattern,
  type Redaction,
  REDACTOR_DEFAULTS,
  type Redactor,
  type RedactorOptions,
} from "./redaction/redactor.ts";
export { endOf, type Lifecycle, type LifecycleRule } from "./retention/lifecycle.ts";
export {
  pruneMemory,
  type RetentionOptions,
  type RetentionReport,
} from "./retention/prune-memory.ts";
export type { SyncOptions, SyncReport } from "./sync/sync-collection.ts";
export type { SyncCounts } from "./sync/sync-state.ts";
export type { MemoryContent } from "./record-codec.ts";
export { syncMemory, type SyncTarget } from "./sync/sync-memory.ts";
export { type MemoryScope, memoryScope, type ScopeOptions } from "./triggers/memory-scope.ts";
export type { RateLimit } from "./triggers/rate-limit.ts";
export { remember } from "./triggers/remember.ts";
export {
  type RaisedEvent,
  TRIGGER_BOUNDS,
  TRIGGER_TYPES,
  type TriggerBounds,
  type TriggerDecider,
  type TriggerDecision,
  type TriggerEvent,
  type TriggerOutcome,
  type TriggerType,
} from "./triggers/trigger-event.ts";
export {
  TRIGGER_DEFAULTS,
  type TriggerDeps,
  type TriggerOptions,
  TriggerService,
  type TriggerStatus,
} from "./triggers/trigger-service.ts";
export {
  type CallOptions,
  type CallSummary,
  withMemory as memoryAwareCommand,
  withMemory,
} from "./triggers/with-memory.ts";
export { breakerOutcome, type TimeLimits } from "./store-access.ts";
