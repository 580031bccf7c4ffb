import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { seededRandom } from "@holdfast/core";
import { DiskForecast, ErrorRate, LatencyDrift, PhiAccrual } from "../src/index.ts";
import { regularizedBeta } from "../src/detect/error-rate.ts";

/** Normal variables by Box and Muller. */
function normals(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

describe("φ accrual", () => {
  /** A second between heartbeats, give or take 100 ms. */
  function beating(seed = 1): { phi: PhiAccrual; now: number } {
    const phi = new PhiAccrual();
    const normal = normals(seed);
    let now = 0;
    for (let beat = 0; beat < 300; beat += 1) phi.heartbeat((now += 1_000 + 100 * normal()));
    return { phi, now };
  }

  // −log10 of the normal tail at z = 0, 1.96, 3.09: one half, 1 in 40, 1 in 1000.
  test.each([
    [1_000, Math.log10(2)],
    [1_196, Math.log10(40)],
    [1_309, 3],
  ])("after %i ms of a usual second it is %f", (pauseMs, expected) => {
    const phi = new PhiAccrual({ deviationMsMin: 100 });
    for (let beat = 1; beat <= 1_000; beat += 1) phi.heartbeat(beat * 1_000);
    expect(phi.phi(1_000_000 + pauseMs)).toBeCloseTo(expected, 1);
  });

  test("heartbeats as usual stay far from 8, and silence gets there within seconds", () => {
    const { phi, now } = beating();
    expect(phi.phi(now + 1_000)).toBeLessThan(1);
    expect(phi.phi(now + 1_900)).toBeGreaterThan(8);
  });

  test("property: it only grows while no heartbeat comes, and stays a number", () => {
    const { phi, now } = beating();
    const check = fc.property(fc.nat(1e9), fc.nat(1e9), (one, other) => {
      const [early, late] = [Math.min(one, other), Math.max(one, other)];
      return phi.phi(now + early) <= phi.phi(now + late) && Number.isFinite(phi.phi(now + late));
    });
    expect(() => fc.assert(check)).not.toThrow();
  });

  test("an outage is no new habit", () => {
    const { phi, now } = beating();
    phi.heartbeat(now + 3_600_000);
    expect(phi.phi(now + 3_605_000)).toBeGreaterThan(8);
  });

  test("nothing is suspected before the first heartbeat", () => {
    expect(new PhiAccrual().phi(1e9)).toBe(0);
  });
});

describe("latency drift", () => {
  function warmed(seed: number): { drift: LatencyDrift; normal: () => number } {
    const drift = new LatencyDrift();
    const normal = normals(seed);
    for (let call = 0; call < 200; call += 1) drift.add(10 * Math.exp(0.2 * normal()));
    return { drift, normal };
  }

  test.each([1, 2, 3, 4, 5])("a rise by half is found within 20 calls (seed %i)", (seed) => {
    const { drift, normal } = warmed(seed);
    let calls = 0;
    while (!drift.add(15 * Math.exp(0.2 * normal())).alarming) calls += 1;
    expect(calls).toBeLessThan(20);
  });

  test("steady durations alarm seldom: less than once in 200 calls", () => {
    let alarms = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const { drift, normal } = warmed(seed);
      let before = false;
      for (let call = 0; call < 500; call += 1) {
        const { alarming } = drift.add(10 * Math.exp(0.2 * normal()));
        if (alarming && !before) alarms += 1;
        before = alarming;
      }
    }
    expect(alarms).toBeLessThan((20 * 500) / 200);
  });

  test("the cumulative sum is Page's: (ln x − μ) / σ − k for each, from steady 10 ms", () => {
    const drift = new LatencyDrift();
    for (let call = 0; call < 30; call += 1) drift.add(10);
    // σ is at its floor, 0.05: z = 0.1 / 0.05 = 2, less k = 0.5.
    const scores = [1, 2, 3, 4].map(() => drift.add(10 * Math.exp(0.1)));
    expect(scores.map(({ score }) => Math.round(score * 1e9) / 1e9)).toEqual([1.5, 3, 4.5, 6]);
    expect(scores.map(({ alarming }) => alarming)).toEqual([false, false, false, true]);
  });

  test("one call a thousand times as slow is not a drift", () => {
    const { drift, normal } = warmed(1);
    for (let call = 0; call < 20; call += 1) drift.add(10 * Math.exp(0.1 * normal()));
    expect(drift.add(10_000).alarming).toBe(false);
  });

  test("the baseline is frozen while it alarms, and the alarm ends with the cause", () => {
    const { drift } = warmed(3);
    for (let call = 0; call < 300; call += 1) drift.add(30);
    const during = drift.add(30);
    expect(during.alarming).toBe(true);
    expect(during.baselineMs).toBeCloseTo(10, 0);
    for (let call = 0; call < 60; call += 1) drift.add(9);
    expect(drift.add(9).alarming).toBe(false);
  });

  test("says nothing before it has a baseline", () => {
    const drift = new LatencyDrift();
    for (let call = 0; call < 30; call += 1) {
      expect(drift.add(call % 2 === 0 ? 1 : 1_000)).toMatchObject({
        alarming: false,
        baselineMs: undefined,
      });
    }
  });
});

describe("error rate", () => {
  // I_x(a, b) of binomial tails: exact fractions.
  test.each([
    [0.5, 1, 1, 0.5],
    [0.3, 1, 1, 0.3],
    [0.5, 2, 3, 11 / 16],
    [0.25, 2, 2, 10 / 64],
    [0.1, 5, 1, 1e-5],
    [0.5, 0.5, 0.5, 0.5],
    [0.9, 50, 50, 1],
  ])("the Beta distribution at %f with %f and %f is %f", (x, a, b, expected) => {
    expect(regularizedBeta(x, a, b)).toBeCloseTo(expected, 9);
  });

  test("property: the distribution function rises from 0 to 1 and mirrors", () => {
    const parameter = fc.double({ min: 0.5, max: 500, noNaN: true });
    const x = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    const check = fc.property(parameter, parameter, x, (a, b, at) => {
      const value = regularizedBeta(at, a, b);
      const mirrored = 1 - regularizedBeta(1 - at, b, a);
      return value >= -1e-12 && value <= 1 + 1e-12 && Math.abs(value - mirrored) < 1e-9;
    });
    expect(() => fc.assert(check)).not.toThrow();
  });

  test("the posterior is Beta(½ + failures, ½ + successes), old outcomes faded", () => {
    const rate = new ErrorRate({ rateMax: 0.1, halfLife: 50 });
    const first = rate.add(false);
    expect(first.rate).toBe(0.25);
    // The distribution function of Beta(½, 3/2) in closed form.
    const below = (2 / Math.PI) * (Math.asin(Math.sqrt(0.1)) + Math.sqrt(0.1 * 0.9));
    expect(first.probability).toBeCloseTo(1 - below, 9);
    expect(rate.add(true).rate).toBeCloseTo(1.5 / (1.5 + 0.5 + 2 ** (-1 / 50)), 12);
  });

  test("one failure of one proves nothing; five of five do", () => {
    const rate = new ErrorRate({ rateMax: 0.5 });
    expect(rate.add(true).alarming).toBe(false);
    const after = [1, 2, 3, 4].map(() => rate.add(true));
    expect(after.at(-1)?.alarming).toBe(true);
  });

  test("a rate below the limit does not alarm, one above it does", () => {
    for (const [every, alarming] of [
      [20, false],
      [4, true],
    ] as const) {
      const rate = new ErrorRate({ rateMax: 0.1 });
      let last = rate.add(false);
      for (let call = 1; call <= 400; call += 1) last = rate.add(call % every === 0);
      expect(last.alarming).toBe(alarming);
    }
  });

  test("old failures fade", () => {
    const rate = new ErrorRate();
    for (let call = 0; call < 20; call += 1) rate.add(true);
    let last = rate.add(false);
    for (let call = 0; call < 400; call += 1) last = rate.add(false);
    expect(last.rate).toBeLessThan(0.05);
    expect(last.alarming).toBe(false);
  });
});

describe("the disk's forecast", () => {
  const MINUTE = 60_000;

  test("a steady use is foreseen to the minute", () => {
    const forecast = new DiskForecast();
    let last;
    for (let minute = 0; minute <= 20; minute += 1) {
      last = forecast.add(minute * MINUTE, 1_000_000 - minute * 1_000);
    }
    expect(last?.fullInMs).toBeCloseTo(980 * MINUTE, 0);
    expect(last?.fullInMsMin).toBeCloseTo(980 * MINUTE, 0);
  });

  test("a third of wild samples does not bend it", () => {
    const forecast = new DiskForecast();
    let last;
    for (let minute = 0; minute <= 40; minute += 1) {
      const wild = minute % 4 === 3 ? 500_000 : 0;
      last = forecast.add(minute * MINUTE, 1_000_000 - minute * 1_000 - wild);
    }
    expect((last?.fullInMs ?? 0) / MINUTE).toBeGreaterThan(900);
    expect((last?.fullInMs ?? 0) / MINUTE).toBeLessThan(1_000);
  });

  test("slope and bound are those of Sen's method, as SciPy computes them from the same 28 pairs", () => {
    const forecast = new DiskForecast();
    const free = [1_000, 910, 790, 680, 690, 680, 670, 630];
    let last;
    for (const [minute, bytes] of free.entries()) last = forecast.add(minute * MINUTE, bytes);
    expect((last?.slope ?? 0) * MINUTE).toBeCloseTo(-47.3333333333, 9);
    expect((last?.fullInMs ?? 0) / MINUTE).toBeCloseTo(630 / 47.3333333333, 9);
    expect((last?.fullInMsMin ?? 0) / MINUTE).toBeCloseTo(630 / 90, 9);
  });

  test("noise widens the bound, which is never later than the estimate", () => {
    const check = fc.property(fc.nat(), fc.integer({ min: 10, max: 60 }), (seed, samples) => {
      const forecast = new DiskForecast();
      const normal = normals(seed);
      let last;
      for (let minute = 0; minute < samples; minute += 1) {
        last = forecast.add(minute * MINUTE, 1e9 - minute * 1e4 + 1e4 * normal());
      }
      return last !== undefined && last.fullInMsMin <= last.fullInMs;
    });
    expect(() => fc.assert(check)).not.toThrow();
  });

  test("space that is not used up is never full", () => {
    const forecast = new DiskForecast();
    let last;
    for (let minute = 0; minute <= 10; minute += 1) last = forecast.add(minute * MINUTE, 5_000);
    expect(last).toMatchObject({ fullInMs: Number.POSITIVE_INFINITY });
  });

  test("samples closer than the gap count once; too few say nothing", () => {
    const forecast = new DiskForecast();
    let last;
    for (let second = 0; second < 240; second += 1)
      last = forecast.add(second * 1_000, 1_000 - second);
    expect(last).toBeUndefined();
    for (let second = 240; second < 600; second += 1)
      last = forecast.add(second * 1_000, 1_000 - second);
    expect(last?.fullInMs).toBeCloseTo(401_000, -4);
  });
});
