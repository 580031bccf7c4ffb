export { Database, type OpenOptions } from "./database.ts";
export { KernelLock } from "./kernel-lock.ts";
export { Lease, LEASE_MIGRATION, type LeaseGrant } from "./lease.ts";
export { SqliteError, translateSqliteError } from "./sqlite-error.ts";
export {
  isKnownDead,
  isRunning,
  ownIdentity,
  type ProcessIdentity,
  startTimeOf,
} from "./process-identity.ts";
