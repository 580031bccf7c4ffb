import { HoldfastError } from "@holdfast/core";
import type { KeeperFailure } from "./keeper-database.ts";

/** Why a keeper gives up, by a code that a command can end with. */
export function asFailure(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) {
    if (error.code !== "SERVICE_UNHEALED") return error;
    if (!error.retryable) return refused(error);
    return new HoldfastError(error.message, {
      code: "SERVER_CRASH_LOOP",
      hint: error.hint ?? "See its log with: holdfast server logs",
    });
  }
  return new HoldfastError(error instanceof Error ? error.message : String(error), {
    code: "KEEPER_FAILED",
    cause: error,
  });
}

/** What is left needs a person. */
function refused({ message, hint }: HoldfastError): HoldfastError {
  return new HoldfastError(message, {
    code: "HEAL_REFUSED",
    hint: hint ?? "See what was found with: holdfast memory incidents",
  });
}

/** As it is kept for whoever asks later; `at` in wall-clock milliseconds. */
export function recordOf({ code, message, hint }: HoldfastError, at: number): KeeperFailure {
  return { code, message, hint, at };
}
