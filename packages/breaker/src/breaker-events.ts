import type { RefusalReason } from "./breaker-error.ts";
import type { ErrorEvidence, ForcedMode, StateName } from "./breaker-record.ts";
import type { Outcome } from "./transition.ts";

interface EventBase {
  breaker: string;
  /** The operation with a breaker of its own; undefined for the parent. */
  operation: string | undefined;
  /** Wall-clock milliseconds. */
  at: number;
}

export interface TransitionEvent extends EventBase {
  from: StateName;
  to: StateName;
  generation: number;
  why: string;
  errors: readonly ErrorEvidence[];
  forced: ForcedMode | null;
  /** "shared": another process moved it, and this one has just learned of it. */
  origin: "local" | "shared";
}

export interface RejectEvent extends EventBase {
  reason: RefusalReason | "bulkhead";
  retryAfterMs: number;
}

export interface OutcomeEvent extends EventBase {
  outcome: Outcome;
  durationMs: number;
  /** What was thrown; undefined for a success. */
  error: unknown;
  timedOut: boolean;
  /** Half-open probe. */
  probe: boolean;
}

export interface FallbackEvent extends EventBase {
  /** What the fallback answered instead of. */
  error: unknown;
}

export interface ZombieEvent extends EventBase {
  /** Calls that have outlived their caller and still run. */
  zombies: number;
}

export interface StoreEvent extends EventBase {
  available: boolean;
  error: unknown;
}

/** Event names and what their listeners get. */
export interface BreakerEvents {
  /** The state changed, here or in another process. */
  transition: TransitionEvent;
  /** A call was refused without running. */
  reject: RejectEvent;
  /** A call ended; durations are measured only while someone listens. */
  outcome: OutcomeEvent;
  /** A fallback answers. */
  fallback: FallbackEvent;
  /** A call outlived its time limit or its caller, or such a call has ended. */
  zombie: ZombieEvent;
  /** The shared store was lost or came back. */
  store: StoreEvent;
}

export type BreakerListener<E extends keyof BreakerEvents> = (event: BreakerEvents[E]) => unknown;

/**
 * Typed events whose listeners cannot hurt the call: what one throws, or rejects with, becomes a
 * process warning (`BreakerListenerWarning`), and the others still run.
 */
export class BreakerEmitter {
  readonly #listeners = new Map<keyof BreakerEvents, Set<BreakerListener<never>>>();

  /** Adds a listener; returns what removes it. */
  on<E extends keyof BreakerEvents>(event: E, listener: BreakerListener<E>): () => void {
    let listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, (listeners = new Set()));
    // A wrapper of its own, so that adding one function twice needs removing twice.
    const entry: BreakerListener<E> = (payload) => listener(payload);
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0) this.#listeners.delete(event);
    };
  }

  has(event: keyof BreakerEvents): boolean {
    return this.#listeners.has(event);
  }

  emit<E extends keyof BreakerEvents>(event: E, payload: BreakerEvents[E]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    for (const listener of [...listeners] as BreakerListener<E>[]) {
      try {
        const answer = listener(payload);
        if (answer instanceof Promise)
          answer.catch((error: unknown) => warnOfCallback(`"${event}" listener`, error));
      } catch (error) {
        warnOfCallback(`"${event}" listener`, error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** Tells of a fault in the user's code that must not reach the call. */
export function warnOfCallback(what: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : typeof error;
  process.emitWarning(`A ${what} of a breaker failed: ${text}`, {
    type: "BreakerListenerWarning",
  });
}
