import { expect, test } from "@jest/globals";
import { CircuitBreaker, CircuitOpenError } from "@holdfast/breaker";
import { type Memory, MemoryServiceUnavailableError } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";
import { closeHalfOpen, isAnyTripped } from "../../src/keeper/circuits.ts";

const { signal } = new AbortController();
const options = { name: "store", failureThreshold: 1, operations: { read: {}, write: {} } };
const store = { ping: () => Promise.resolve() } as unknown as VectorStore;

/** A memory whose `guard` is all there is, under the breaker as the real one's. */
function guardedBy(breaker: CircuitBreaker): Memory {
  const guard = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await breaker.execute(work, { operation });
    } catch (error) {
      if (!(error instanceof CircuitOpenError)) throw error;
      throw new MemoryServiceUnavailableError(error.message, { retryAfterMs: 1, cause: error });
    }
  };
  return { guard } as unknown as Memory;
}

async function fail(breaker: CircuitBreaker, operation: string): Promise<void> {
  const away = (): Promise<never> => Promise.reject(new Error("away"));
  await expect(breaker.execute(away, { operation })).rejects.toThrow("away");
}

test("an operation that tripped counts, an order does not", async () => {
  using breaker = new CircuitBreaker(options);
  expect(isAnyTripped(breaker)).toBe(false);
  await breaker.forceOpen("by hand");
  expect(isAnyTripped(breaker)).toBe(false);
  await breaker.reset("over");
  await fail(breaker, "write");
  expect(isAnyTripped(breaker)).toBe(true);
});

test("closes every circuit that is half-open, and no order", async () => {
  using breaker = new CircuitBreaker(options);
  await fail(breaker, "ping");
  await fail(breaker, "write");
  await breaker.forceOpen("by hand", "read");
  await breaker.probeNow("canary");
  await closeHalfOpen(breaker, guardedBy(breaker), store, signal);
  expect([undefined, "read", "write"].map((each) => breaker.state(each))).toEqual([
    "closed",
    "open",
    "closed",
  ]);
});

test("leaves the decision to a probe that runs already", async () => {
  using breaker = new CircuitBreaker({ ...options, successThreshold: 1 });
  await fail(breaker, "write");
  await breaker.probeNow("canary");
  let end = (): void => undefined;
  const running = new Promise<void>((resolve) => (end = resolve));
  const probe = breaker.execute(() => running, { operation: "write" });
  await closeHalfOpen(breaker, guardedBy(breaker), store, signal);
  expect(breaker.state("write")).toBe("half-open");
  end();
  await probe;
  expect(breaker.state("write")).toBe("closed");
});

test("a store that fails again is told", async () => {
  using breaker = new CircuitBreaker(options);
  await fail(breaker, "write");
  await breaker.probeNow("canary");
  const ill = { ping: () => Promise.reject(new Error("again")) } as unknown as VectorStore;
  await expect(closeHalfOpen(breaker, guardedBy(breaker), ill, signal)).rejects.toThrow("again");
  expect(breaker.state("write")).toBe("open");
});
