import { HoldfastError, type HoldfastErrorOptions } from "@holdfast/core";

export type RecoveryErrorCode =
  | "RECOVERY_BUSY"
  | "RECOVERY_LEASE_LOST"
  | "ORCHESTRATOR_FAILED"
  | "SERVICE_UNHEALED";

/** What this package throws on purpose; faults of file and disk are SqliteErrors. */
export class RecoveryError extends HoldfastError {
  override name = "RecoveryError";
  override readonly code: RecoveryErrorCode;

  constructor(message: string, options: HoldfastErrorOptions & { code: RecoveryErrorCode }) {
    super(message, options);
    this.code = options.code;
  }
}
