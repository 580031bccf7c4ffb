import type { CircuitBreaker } from "@holdfast/breaker";
import { MemoryServiceUnavailableError, type Memory } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";

const HALF_OPEN_CALLS_MAX = 10;

/** Whether any operation is refused because of failures; an operator's order does not count. */
export function isAnyTripped(breaker: CircuitBreaker): boolean {
  const { operations, ...parent } = breaker.explain();
  return [parent, ...Object.values(operations)].some(
    ({ state, forced }) => state === "open" && forced === null,
  );
}

/**
 * After a canary's word has opened it half: calls of ours close what is half-open, so that nobody
 * waits. Where somebody else's call is the probe already, that one decides.
 */
export async function closeHalfOpen(
  breaker: CircuitBreaker,
  memory: Memory,
  store: VectorStore,
  signal: AbortSignal,
): Promise<void> {
  for (const operation of [undefined, ...Object.keys(breaker.explain().operations)]) {
    for (let call = 0; call < HALF_OPEN_CALLS_MAX; call += 1) {
      if (breaker.state(operation) !== "half-open") break;
      try {
        await memory.guard(operation ?? "ping", (inner) =>
          store.ping({ signal: AbortSignal.any([inner, signal]) }),
        );
      } catch (error) {
        if (!(error instanceof MemoryServiceUnavailableError)) throw error;
        break;
      }
    }
  }
}
