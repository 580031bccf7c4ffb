/** What the exit status of every command means. `docs/exit-codes.md` says the same. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  degraded: 3,
  findings: 4,
  drift: 5,
  storeMissing: 10,
  locked: 11,
  authentication: 12,
  unavailable: 13,
  backupInvalid: 14,
  configInvalid: 78,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** The status of each error code that has its own; every other error is `failed`. */
export const STATUS_OF_CODE: Readonly<Record<string, ExitStatus>> = {
  USAGE: EXIT.usage,
  CONFIRMATION_NEEDED: EXIT.usage,
  SERVER_NOT_MANAGED: EXIT.usage,
  FORGET_UNSCOPED: EXIT.usage,
  MEMORY_INVALID: EXIT.usage,
  DURATION_INVALID: EXIT.usage,
  METRICS_WINDOW_INVALID: EXIT.usage,
  POLICY_EXISTS: EXIT.usage,
  POLICY_UNKNOWN: EXIT.usage,
  POLICY_IN_USE: EXIT.usage,
  POLICY_CONFLICT: EXIT.usage,
  POLICY_EVENT_INVALID: EXIT.usage,
  CONFIG_KEY_UNKNOWN: EXIT.usage,
  DEPLOYMENT_REFUSED: EXIT.usage,
  DEPLOYMENT_UNKNOWN: EXIT.usage,
  DEPLOYMENT_LOCKED: EXIT.locked,
  CONFIG_INVALID: EXIT.configInvalid,
  CONFIG_NOT_FOUND: EXIT.configInvalid,
  CONFIG_UNREADABLE: EXIT.configInvalid,
  DATA_DIRECTORY_INVALID: EXIT.configInvalid,
  POLICY_INVALID: EXIT.configInvalid,
  POLICY_UNREADABLE: EXIT.configInvalid,
  EMBEDDER_UNKNOWN: EXIT.configInvalid,
  EMBEDDER_OPTIONS_INVALID: EXIT.configInvalid,
  SECRET_UNAVAILABLE: EXIT.authentication,
  BACKUP_EXISTS: EXIT.usage,
  BACKUP_INVALID: EXIT.backupInvalid,
  BACKUP_SCHEDULE_INVALID: EXIT.configInvalid,
  BACKUP_BUSY: EXIT.locked,
  DRILL_FAILED: EXIT.backupInvalid,
  STORE_AUTH: EXIT.authentication,
  STORE_MISSING: EXIT.storeMissing,
  COLLECTION_NOT_FOUND: EXIT.storeMissing,
  SQLITE_BUSY: EXIT.locked,
  SYNC_UNDER_WAY: EXIT.locked,
  SERVER_LOCKED: EXIT.locked,
  SERVER_FOREIGN: EXIT.locked,
  BREAKER_OPEN: EXIT.unavailable,
  MEMORY_UNAVAILABLE: EXIT.unavailable,
  MEMORY_DISABLED: EXIT.unavailable,
  STORE_UNAVAILABLE: EXIT.unavailable,
  STORE_TIMEOUT: EXIT.unavailable,
  SERVER_NOT_RUNNING: EXIT.unavailable,
  SERVER_START_FAILED: EXIT.unavailable,
  SERVER_CRASH_LOOP: EXIT.unavailable,
  HEAL_REFUSED: EXIT.unavailable,
  KEEPER_FAILED: EXIT.unavailable,
  KEEPER_TIMEOUT: EXIT.unavailable,
  CANARY_FAILED: EXIT.unavailable,
  STORE_BUSY: EXIT.unavailable,
  INTERRUPTED: EXIT.interrupted,
  TERMINATED: EXIT.terminated,
};

/** The exit status of whatever a command threw. */
export function statusOf(error: unknown): ExitStatus {
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === "string" && Object.hasOwn(STATUS_OF_CODE, code);
  return (known ? STATUS_OF_CODE[code] : undefined) ?? EXIT.failed;
}
