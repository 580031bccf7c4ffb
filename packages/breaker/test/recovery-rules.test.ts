import { describe, expect, test } from "@jest/globals";
import { seededRandom } from "@holdfast/core";
import { type BreakerOptions, CircuitBreaker, MemoryBreakerStateStore } from "@holdfast/breaker";
import * as fc from "fast-check";
import { CountWindow, TimeWindow } from "../src/call-window.ts";
import { fail, failTimes, succeed, thrownBy } from "./support/calls.ts";
import { FakeClock } from "@holdfast/core/testing";

function create(options = {}): { breaker: CircuitBreaker; clock: FakeClock } {
  const clock = new FakeClock();
  const deps = { clock, random: seededRandom(1) };
  return { breaker: new CircuitBreaker({ name: "chroma", ...options }, deps), clock };
}

async function retryAfterMs(breaker: CircuitBreaker): Promise<number> {
  return ((await fail(breaker)) as { retryAfterMs: number }).retryAfterMs;
}

describe("backoff", () => {
  test("the wait doubles with each failed probe up to its bound, and closing starts anew", async () => {
    const backoff = { maxMs: 200_000, jitter: 0 };
    const { breaker, clock } = create({ backoff, successThreshold: 1 });
    await failTimes(breaker, 5);
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      const waitMs = await retryAfterMs(breaker);
      waits.push(waitMs);
      clock.pass(waitMs);
      await fail(breaker);
    }
    expect(waits).toEqual([60_000, 120_000, 200_000, 200_000]);
    expect(breaker.explain().evidence.attempt).toBe(5);
    clock.pass(200_000);
    await succeed(breaker);
    await failTimes(breaker, 5);
    expect(await retryAfterMs(breaker)).toBe(60_000);
  });

  test("jitter shortens later waits only, within its part", async () => {
    const { breaker, clock } = create({ backoff: { jitter: 0.5 } });
    await failTimes(breaker, 5);
    expect(await retryAfterMs(breaker)).toBe(60_000);
    clock.pass(60_000);
    await fail(breaker);
    const second = await retryAfterMs(breaker);
    expect(second).toBeGreaterThanOrEqual(60_000);
    expect(second).toBeLessThan(120_000);
  });
});

describe("ramp", () => {
  test("lets 10, 25, 50 and then all of the calls through after a recovery", async () => {
    const { breaker, clock } = create({ rampMs: 30_000, successThreshold: 1 });
    await failTimes(breaker, 5);
    await breaker.probeNow("test");
    await succeed(breaker);
    const refusals = new Set<string>();
    const admitted = async (): Promise<number> => {
      let count = 0;
      for (let call = 0; call < 100; call++) {
        const answer = await succeed(breaker).catch((error: { reason: string }) => error.reason);
        if (answer === "ok") count++;
        refusals.add(answer);
      }
      return count;
    };
    const parts: number[] = [];
    for (let step = 0; step < 4; step++) {
      parts.push(await admitted());
      clock.pass(10_000);
    }
    expect(parts).toEqual([10, 25, 50, 100]);
    expect(refusals).toEqual(new Set(["ok", "ramp"]));
  });

  test("a refused call is told when the next step begins", async () => {
    const { breaker, clock } = create({ rampMs: 30_000, successThreshold: 1 });
    await failTimes(breaker, 5);
    await breaker.probeNow("test");
    await succeed(breaker);
    clock.pass(4_000);
    await succeed(breaker);
    expect(await thrownBy(succeed(breaker))).toMatchObject({
      reason: "ramp",
      state: "closed",
      retryAfterMs: 6_000,
    });
  });
});

describe("the wall clock is set", () => {
  test("back: the breaker probes instead of waiting for the old time to return", async () => {
    const { breaker, clock } = create();
    await failTimes(breaker, 5);
    clock.jump(-86_400_000);
    expect(await succeed(breaker)).toBe("ok");
    expect(breaker.state()).toBe("half-open");
  });

  test("back while it lets ever more calls through: that time is over, not a day away", async () => {
    const { breaker, clock } = create({ rampMs: 30_000, successThreshold: 1 });
    await failTimes(breaker, 5);
    await breaker.probeNow("test");
    await succeed(breaker);
    clock.jump(-86_400_000);
    for (let call = 0; call < 20; call++) expect(await succeed(breaker)).toBe("ok");
  });

  test("back by less than a second: nothing changes", async () => {
    const { breaker, clock } = create();
    await failTimes(breaker, 5);
    clock.jump(-900);
    expect(await retryAfterMs(breaker)).toBe(60_000);
  });
});

describe("options that changed while it was half-open", () => {
  // With fewer successes wanted than there were, no probe was ever let through again.
  test("a success threshold that is reached already lets one probe more decide", async () => {
    const clock = new FakeClock();
    const store = new MemoryBreakerStateStore({ clock });
    const before = new CircuitBreaker({ name: "chroma", successThreshold: 3 }, { clock, store });
    await failTimes(before, 5);
    await before.probeNow("test");
    await succeed(before);
    await succeed(before);
    const after = new CircuitBreaker({ name: "chroma", successThreshold: 1 }, { clock, store });
    expect(after.explain()).toMatchObject({
      state: "half-open",
      retryAfterMs: null,
      next: "1 more successful probe closes it, one failure opens it again",
    });
    expect(await succeed(after)).toBe("ok");
    expect(after.state()).toBe("closed");
  });

  test("a failure threshold that is reached already opens it at the next failure", async () => {
    const clock = new FakeClock();
    const store = new MemoryBreakerStateStore({ clock });
    await failTimes(new CircuitBreaker({ name: "chroma" }, { clock, store }), 4);
    const after = new CircuitBreaker({ name: "chroma", failureThreshold: 2 }, { clock, store });
    expect(after.explain().next).toBe("1 more failure would open it");
    await fail(after);
    expect(after.state()).toBe("open");
  });
});

describe("slow calls", () => {
  const slowCalls = { slowerThanMs: 100, rate: 0.5, minimumCalls: 4, windowMs: 10_000 };

  test("open it although none fails", async () => {
    const { breaker, clock } = create({ slowCalls });
    const call = (ms: number): Promise<void> => breaker.execute(() => clock.pass(ms));
    await call(100);
    await call(101);
    await call(1);
    expect(breaker.state()).toBe("closed");
    await call(500);
    expect(breaker.state()).toBe("open");
    expect(breaker.explain().why).toBe("2 of the last 4 calls were slow (limit 50 %)");
  });

  test("leave the window with time", async () => {
    const { breaker, clock } = create({ slowCalls });
    for (let call = 0; call < 20; call++) {
      // Four within ten seconds would open it.
      await breaker.execute(() => clock.pass(3_500));
    }
    expect(breaker.state()).toBe("closed");
  });
});

describe("windows count what a list would", () => {
  test("the last N calls", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.boolean()), (size, calls) => {
        const window = new CountWindow(size);
        for (const bad of calls) window.add(bad);
        const last = calls.slice(-size);
        expect(window.counts()).toEqual({ calls: last.length, bad: last.filter(Boolean).length });
      }),
    );
  });

  test("the calls of the last time window, to a tenth of it", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.boolean()));
    fc.assert(
      fc.property(steps, (calls) => {
        const window = new TimeWindow(1_000);
        const seen: { bucket: number; bad: boolean }[] = [];
        let at = 12_345;
        for (const [gap, bad] of calls) {
          at += gap;
          window.add(bad, at);
          seen.push({ bucket: Math.floor(at / 100), bad });
          const kept = seen.filter(({ bucket }) => bucket > Math.floor(at / 100) - 10);
          expect(window.counts(at)).toEqual({
            calls: kept.length,
            bad: kept.filter((call) => call.bad).length,
          });
        }
      }),
    );
  });
});

describe("options", () => {
  test.each<[string, Partial<BreakerOptions>]>([
    ["failureThreshold", { failureThreshold: 0 }],
    ["successThreshold", { successThreshold: 1.5 }],
    ["recoveryTimeoutMs", { recoveryTimeoutMs: -1 }],
    ["timeoutMs", { timeoutMs: 2 ** 31 }],
    ["halfOpenProbesMax", { halfOpenProbesMax: 0 }],
    ["bulkhead.concurrencyMax", { bulkhead: { concurrencyMax: 0 } }],
    ["trip.failureRate", { trip: { kind: "time", windowMs: 1, failureRate: 50 } }],
    ["trip.minimumCalls", { trip: { kind: "count", calls: 5, failureRate: 1, minimumCalls: 6 } }],
    ["slowCalls.rate", { slowCalls: { slowerThanMs: 1, rate: 0 } }],
    ["backoff.jitter", { backoff: { jitter: 2 } }],
    ["rampMs", { rampMs: Number.NaN }],
    ["pollMs", { pollMs: -1 }],
    ["operations.write.timeoutMs", { operations: { write: { timeoutMs: -1 } } }],
  ])("%s out of range is refused by name", (name, options) => {
    expect(() => new CircuitBreaker({ name: "chroma", ...options })).toThrow(`${name} must be`);
  });
});
