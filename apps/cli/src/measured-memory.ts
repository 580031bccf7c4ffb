import { HoldfastError } from "@holdfast/core";
import type { Durability, Memory, Receipt } from "@holdfast/memory";
import { decoratedMemory } from "@holdfast/memory/service";
import type { MetricsStore } from "@holdfast/metrics";
import { recordOutcome } from "./metrics.ts";

/** What the caller asked for in vain, or wrongly: it says nothing about the memory's health. */
const CALLERS_FAULT = new Set([
  "MEMORY_INVALID",
  "MEMORY_NOT_FOUND",
  "FORGET_UNSCOPED",
  "DURATION_INVALID",
]);

/** The same memory, with the outcome and duration of what it is asked recorded. */
export function measureMemory(memory: Memory, metrics: MetricsStore): Memory {
  return decoratedMemory(memory, {
    add: (text, options) =>
      measure(metrics, "add", options, () => memory.add(text, options), {
        outcomeOf: (receipt) => receipt.durability,
        onEnd: (receipt, outcome) => capture(metrics, receipt && [receipt], outcome, 1),
      }),
    addMany: (items, options) =>
      measure(metrics, "addMany", options, () => memory.addMany(items, options), {
        outcomeOf: (receipts) => worst(receipts),
        onEnd: (receipts, outcome) => capture(metrics, receipts, outcome, items.length),
      }),
    update: (id, changes, options) =>
      measure(metrics, "update", options, () => memory.update(id, changes, options), {
        outcomeOf: (receipt) => receipt.durability,
      }),
    search: (query, options) =>
      measure(metrics, "search", options, () => memory.search(query, options), {
        outcomeOf: degradedOrNot,
      }),
    get: (id, options) =>
      measure(metrics, "get", options, () => memory.get(id, options), {
        outcomeOf: degradedOrNot,
      }),
    forget: (selector, options) =>
      measure(metrics, "forget", options, () => memory.forget(selector, options), {
        outcomeOf: (result) => result.durability,
      }),
    drain: (options) =>
      measure(metrics, "drain", options, () => memory.drain(options), {
        outcomeOf: (report) => (report.stoppedBy === undefined ? "success" : "stopped"),
      }),
  });
}

interface Reading<T> {
  outcomeOf: (result: T) => string;
  /** Told the result, or undefined when there is none, and the outcome. */
  onEnd?: (result: T | undefined, outcome: string) => void;
}

async function measure<T>(
  metrics: MetricsStore,
  operation: string,
  options: { signal?: AbortSignal } | undefined,
  work: () => Promise<T>,
  { outcomeOf, onEnd }: Reading<T>,
): Promise<T> {
  const began = performance.now();
  try {
    const result = await work();
    const outcome = outcomeOf(result);
    recordOutcome(metrics, operation, outcome, performance.now() - began);
    onEnd?.(result, outcome);
    return result;
  } catch (error) {
    const outcome = options?.signal?.aborted === true ? "cancelled" : outcomeOfError(error);
    recordOutcome(metrics, operation, outcome, performance.now() - began, error);
    onEnd?.(undefined, outcome);
    throw error;
  }
}

function outcomeOfError(error: unknown): string {
  return error instanceof HoldfastError && CALLERS_FAULT.has(error.code) ? "refused" : "failed";
}

const degradedOrNot = ({ degraded }: { degraded: boolean }): string =>
  degraded ? "degraded" : "success";

const FROM_WORST: readonly Durability[] = ["dead", "queued", "stored"];

function worst(receipts: readonly Receipt[]): Durability {
  const seen = new Set(receipts.map(({ durability }) => durability));
  return FROM_WORST.find((durability) => seen.has(durability)) ?? "stored";
}

function capture(
  metrics: MetricsStore,
  receipts: readonly Receipt[] | undefined,
  outcome: string,
  count: number,
): void {
  if (receipts === undefined) metrics.count("captures", count, { outcome });
  for (const { durability } of receipts ?? [])
    metrics.count("captures", 1, { outcome: durability });
}
