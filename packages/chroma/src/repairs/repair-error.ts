import { HoldfastError } from "@holdfast/core";

/**
 * - `SALVAGE_IMPOSSIBLE`: the damaged files do not hold what a repair would need; nothing was changed
 * - `REPAIR_SPACE`: a repair works on a copy, and the disk has no room for one
 * - `REPAIR_UNPROVEN`: what was repaired does not compare equal with what it was made from
 */
export type RepairErrorCode = "SALVAGE_IMPOSSIBLE" | "REPAIR_SPACE" | "REPAIR_UNPROVEN";

/** A repair that cannot be done, or did not help. The original is untouched or set aside whole. */
export class RepairError extends HoldfastError {
  override name = "RepairError";
  declare readonly code: RepairErrorCode;
  /** Records that the repair would have lost, as far as they are known. */
  readonly lost: readonly string[];

  constructor(
    message: string,
    options: { code: RepairErrorCode; hint?: string; cause?: unknown; lost?: readonly string[] },
  ) {
    super(message, options);
    this.lost = options.lost ?? [];
  }
}
