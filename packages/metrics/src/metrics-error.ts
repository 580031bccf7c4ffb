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

/** What the file holds is not what this package writes. */
export function damaged(what: string, cause?: unknown): MetricsError {
  return new MetricsError(`A stored ${what} is damaged`, {
    code: "METRICS_DAMAGED",
    hint: "The metrics file is set aside and a new one begun; nothing else depends on it.",
    cause,
  });
}
