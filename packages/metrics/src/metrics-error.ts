import { HoldfastError, type HoldfastErrorOptions } from "@holdfast/core";

export type MetricsErrorCode =
  | "METRICS_OPTION_INVALID"
  | "METRICS_WINDOW_INVALID"
  | "METRICS_MAPPING_INVALID"
  | "METRICS_DAMAGED";

/** What this package throws on purpose; faults of file and disk are SqliteErrors. */
export class MetricsError extends HoldfastError {
  override name = "MetricsError";
  override readonly code: MetricsErrorCode;

  constructor(message: string, options: HoldfastErrorOptions & { code: MetricsErrorCode }) {
    super(message, options);
    this.code = options.code;
  }
}
