import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { scratchFolder, scratchStore } from "./scratch.ts";

describe("flushing by timer", () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test("comes once after the interval, and not at all when nothing was recorded", () => {
    const { store } = scratchStore({ flushIntervalMs: 1_000 });
    expect(jest.getTimerCount()).toBe(0);
    store.record("search", "success", 1);
    store.record("search", "success", 1);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(999);
    expect(store.status().state).toBe("idle");
    jest.advanceTimersByTime(1);
    expect(store.status().state).toBe("ok");
    expect(jest.getTimerCount()).toBe(0);
  });

  test("after a failure it is tried again, ever less often, until it succeeds", () => {
    const path = join(scratchFolder(), "metrics.sqlite");
    mkdirSync(path);
    const { store } = scratchStore({ path, flushIntervalMs: 1_000 });
    store.record("search", "success", 1);
    const delays: number[] = [];
    for (let at = 0; at < 9; at += 1) {
      const before = jest.now();
      jest.advanceTimersToNextTimer();
      delays.push(jest.now() - before);
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    rmSync(path, { recursive: true });
    jest.advanceTimersToNextTimer();
    expect(store.status().state).toBe("ok");
    store.record("search", "success", 1);
    const before = jest.now();
    jest.advanceTimersToNextTimer();
    expect(jest.now() - before).toBe(1_000);
    expect(store.totals().operations[0]?.histogram.count).toBe(2);
  });

  test("closing ends it", () => {
    const { store } = scratchStore({ flushIntervalMs: 1_000 });
    store.record("search", "success", 1);
    store.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
