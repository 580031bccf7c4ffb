import { HoldfastError, type HoldfastErrorOptions } from "@holdfast/core";

/**
 * - `EMBEDDER_UNKNOWN`: no provider has this name
 * - `EMBEDDER_NOT_INSTALLED`: the provider's package is not installed
 * - `EMBEDDER_OPTIONS_INVALID`: the provider refuses its options, for example a missing key
 * - `EMBEDDER_FAILED`: the provider failed; `retryable` says whether another try may succeed
 * - `EMBEDDER_OUTPUT_INVALID`: too few vectors, different dimensions, or a number that is not finite
 * - `EMBEDDER_BUSY`: too many texts wait already
 * - `EMBEDDER_CLOSED`: used after `close()`
 */
export type EmbedderErrorCode =
  | "EMBEDDER_UNKNOWN"
  | "EMBEDDER_NOT_INSTALLED"
  | "EMBEDDER_OPTIONS_INVALID"
  | "EMBEDDER_FAILED"
  | "EMBEDDER_OUTPUT_INVALID"
  | "EMBEDDER_BUSY"
  | "EMBEDDER_CLOSED";

export interface EmbedderErrorOptions extends HoldfastErrorOptions {
  code: EmbedderErrorCode;
}

export class EmbedderError extends HoldfastError {
  override name = "EmbedderError";
  declare readonly code: EmbedderErrorCode;

  // oxlint-disable-next-line no-useless-constructor -- it narrows the code
  constructor(message: string, options: EmbedderErrorOptions) {
    super(message, options);
  }
}

export function closedError(): EmbedderError {
  return new EmbedderError("The embedder is closed", { code: "EMBEDDER_CLOSED" });
}
