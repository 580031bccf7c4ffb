export type {
  ChromaStoreOptions,
  CloudOptions,
  ManagedEndpoint,
  ManagedOptions,
  ServerOptions,
} from "./client-options.ts";
export { ChromaStore } from "./store.ts";
export { compactDirectory } from "./repairs/compact-directory.ts";
export { findServer, type FindServerOptions } from "./server/find-server.ts";
export {
  type InstallOptions,
  type InstallProgress,
  installServer,
} from "./server/install-server.ts";
export { ManagedServer } from "./server/managed-server.ts";
export {
  MANAGED_SERVER_DEFAULTS,
  type ManagedServerDeps,
  type ManagedServerOptions,
  type RunningServer,
  type ServerLogger,
} from "./server/managed-server-options.ts";
export { ServerError, type ServerErrorCode } from "./server/server-error.ts";
export { tailServerLog } from "./server/server-log.ts";
export type { ServerProgram } from "./server/server-program.ts";
export {
  managedEndpoint,
  readServerRecord,
  type ServerBuild,
  type ServerEndpoint,
  type ServerRecord,
} from "./server/server-record.ts";
export {
  ensureStateDirectory,
  stateDirectoryOf,
  type StatePaths,
  statePathsOf,
} from "./server/state-directory.ts";
export type { ServerExit } from "./server/watch-process.ts";
export {
  type CollectionContent,
  describeFinding,
  type Finding,
  inspectDataDirectory,
  type Inspection,
} from "./server/inspect-data-directory.ts";
export {
  listQuarantine,
  pruneQuarantine,
  quarantine,
  type Quarantined,
  type QuarantineEntry,
} from "./server/quarantine.ts";
export { RepairError, type RepairErrorCode } from "./repairs/repair-error.ts";
export { finishReplacement, type Replaced, replaceDirectory } from "./repairs/replace-directory.ts";
export { salvageIndexes } from "./repairs/salvage-directory.ts";
export type { SalvagedIndex } from "./repairs/salvage-index.ts";
export type { Space } from "./repairs/index-files.ts";
export { lacksMagic, rewriteMagic } from "./repairs/sqlite-magic.ts";
export { type MergedSurvivors, mergeSurvivors } from "./repairs/merge-survivors.ts";
export { moveOrphansAside } from "./repairs/orphan-folders.ts";
export { setReplayable } from "./repairs/keep-replayable.ts";
export { CANARY_COLLECTION, sendCanary } from "./checks/canary.ts";
export { connectionChecks, type ConnectionTarget } from "./checks/connection-checks.ts";
export { directoryChecks, type DirectoryCheckOptions } from "./checks/directory-checks.ts";
export { probeChecks, type ProbeOptions } from "./checks/probe-checks.ts";
export { processChecks } from "./checks/process-checks.ts";
export { readExits, type RecordedExit } from "./server/exit-history.ts";
export { chromaProof, type ProofOptions } from "./strategies/chroma-proof.ts";
export { chromaStrategies } from "./strategies/chroma-strategies.ts";
export type {
  BackupPort,
  ChromaRecoveryDeps,
  MirrorPort,
  ServerControl,
} from "./strategies/recovery-ports.ts";
export { scrubCheck } from "./checks/scrub-check.ts";
export { holdsOthers, storedAtLeast } from "./strategies/recovery-ports.ts";
