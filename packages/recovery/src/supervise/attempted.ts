import { HoldfastError } from "@holdfast/core";
import { SqliteError } from "@holdfast/sqlite";

/** Why an attempt did not help. */
export interface FailedAttempt {
  message: string;
  hint: string | undefined;
  cause?: HoldfastError | undefined;
  /** There is no point in trying again. */
  final: boolean;
  /** Somebody else is at it. */
  busy: boolean;
  /** Nothing was tried: a file of our own could not be used, on a full disk say. */
  untried: boolean;
}

/** Undefined when it helped. @throws what is a bug; the signal's reason. */
export async function attempted(
  work: () => Promise<void>,
  signal: AbortSignal,
): Promise<FailedAttempt | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    const { message, hint, code, retryable } = error;
    return {
      message,
      hint,
      cause: error,
      final: !retryable,
      busy: code === "RECOVERY_BUSY",
      untried: error instanceof SqliteError,
    };
  }
}
