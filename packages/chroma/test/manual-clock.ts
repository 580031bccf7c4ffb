import type { Clock } from "@holdfast/core";

/** A clock that stands still; `expire` ends every sleep at once. */
export class ManualClock implements Clock {
  readonly asked: number[] = [];
  readonly #sleepers = new Set<() => void>();

  now(): number {
    return Date.parse("2026-08-01T12:00:00Z");
  }

  monotonic(): number {
    return 0;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.asked.push(delayMs);
    return new Promise((resolve, reject) => {
      this.#sleepers.add(resolve);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(resolve);
        reject(signal.reason);
      });
    });
  }

  expire(): void {
    for (const wake of this.#sleepers) wake();
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }
}
