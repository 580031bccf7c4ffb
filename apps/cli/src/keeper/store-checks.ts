import { type Clock, HoldfastError } from "@holdfast/core";
import type { HealthCheck } from "@holdfast/recovery";
import type { VectorStore } from "@holdfast/store";
import { sendCanary } from "./canary.ts";

/** Whether the store answers at all: a real round trip to its tenant and database. */
export function aliveCheck(store: VectorStore, timeoutMs: number): HealthCheck {
  return {
    name: "alive",
    service: "chroma",
    severity: "offline",
    timeoutMs,
    run: async ({ signal }) => {
      await store.ping({ signal, timeoutMs });
      return { status: "pass", message: "the store answers" };
    },
  };
}

export interface CanaryDeps {
  store: VectorStore;
  clock: Clock;
  /** Told how long it took, and why it failed when it did. */
  onEnd: (tookMs: number, error?: HoldfastError) => void;
}

/** A canary makes several calls. */
const CALLS = 3;

/** Whether what is written is found, and what is deleted is gone. */
export function canaryCheck({ store, clock, onEnd }: CanaryDeps, timeoutMs: number): HealthCheck {
  return {
    name: "canary",
    service: "chroma",
    timeoutMs: CALLS * timeoutMs,
    run: async ({ signal }) => {
      const began = clock.monotonic();
      try {
        await sendCanary(store, timeoutMs, signal);
      } catch (error) {
        // Who was no longer waited for has been judged already.
        if (error instanceof HoldfastError) onEnd(clock.monotonic() - began, error);
        throw error;
      }
      const tookMs = clock.monotonic() - began;
      onEnd(tookMs);
      return {
        status: "pass",
        message: "the canary was written, found and deleted",
        evidence: { tookMs },
      };
    },
  };
}
