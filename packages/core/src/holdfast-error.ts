export interface HoldfastErrorOptions {
  /** Stable, upper-case identifier; the CLI and callers decide by it, never by the message. */
  code: string;
  /** Whether the same call may succeed later without anybody changing anything. Default false. */
  retryable?: boolean;
  /** What to do about it: the next command to run, or the change to make. */
  hint?: string;
  /** What was caught, kept for `--verbose` and logs. */
  cause?: unknown;
}

/** The base of every error that Holdfast throws on purpose. Anything else is a bug. */
export class HoldfastError extends Error {
  override name = "HoldfastError";
  readonly code: string;
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(message: string, options: HoldfastErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
  }
}
