import { holdsOthers, probeChecks, storedAtLeast } from "@holdfast/chroma";
import { type Clock, HoldfastError, systemClock } from "@holdfast/core";
import type { Memory } from "@holdfast/memory";
import type { HealthCheck } from "@holdfast/recovery";
import type { VectorStore } from "@holdfast/store";

export interface StoreChecksOptions {
  timeoutMs: number;
  /** False: the store is only read. */
  canary: boolean;
}

export interface StoreChecksDeps {
  store: VectorStore;
  /** What the store must hold at least. */
  memory: Memory;
  clock?: Clock;
  /** Told how long each canary took, and why it failed when it did. */
  onCanary?: (tookMs: number, error?: HoldfastError) => void;
}

/** The checks that use the store: whether it answers, and whether it does its work. */
export function storeChecks(
  { timeoutMs, canary }: StoreChecksOptions,
  { store, memory, clock = systemClock, onCanary }: StoreChecksDeps,
): HealthCheck[] {
  const { collection } = memory.status();
  const recordsMin = (): number => storedAtLeast(memory);
  const isMissed = (): boolean => holdsOthers(memory);
  const checks = probeChecks(store, { collection, recordsMin, isMissed, timeoutMs });
  if (!canary) return checks.filter(({ name }) => name !== "canary");
  return checks.map((check) => {
    if (check.name !== "canary") return check;
    const run: HealthCheck["run"] = async (context) => {
      const began = clock.monotonic();
      try {
        const outcome = await check.run(context);
        onCanary?.(clock.monotonic() - began);
        return outcome;
      } catch (error) {
        if (error instanceof HoldfastError) onCanary?.(clock.monotonic() - began, error);
        throw error;
      }
    };
    return { ...check, run };
  });
}
