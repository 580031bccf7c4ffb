import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { Histogram, HISTOGRAM_MAX, HISTOGRAM_MIN, QUANTILE_RELATIVE_ERROR } from "../src/index.ts";

/** Durations over all the magnitudes that the histogram covers. */
const duration = fc
  .tuple(
    fc.double({ min: -10, max: 30.999, noNaN: true }),
    fc.double({ min: 1, max: 1.999, noNaN: true }),
  )
  .map(([exponent, mantissa]) => Math.min(HISTOGRAM_MAX * 0.999, 2 ** exponent * mantissa));
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });
const quantile = fc.double({ min: 0, max: 1, noNaN: true });

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

function exactQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
}

function parts(histogram: Histogram): unknown {
  const { count, min, max } = histogram;
  return { count, min, max, buckets: [...histogram.encode()] };
}

describe("histogram", () => {
  test("every quantile is within the stated bound of the exact one", () => {
    fc.assert(
      fc.property(durations, quantile, (values, q) => {
        const exact = exactQuantile(values, q);
        const estimate = histogramOf(values).quantile(q) ?? Number.NaN;
        expect(Math.abs(estimate - exact) / exact).toBeLessThanOrEqual(
          QUANTILE_RELATIVE_ERROR * (1 + 1e-9),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("the bound is reached: it is not stated wider than it is", () => {
    const worst = Math.max(
      ...Array.from({ length: 10_000 }, (_, at) => {
        const value = 1 + at / 10_000;
        const estimate = histogramOf([0.5, value, 5]).quantile(0.5) ?? Number.NaN;
        return Math.abs(estimate - value) / value;
      }),
    );
    expect(worst).toBeGreaterThan(QUANTILE_RELATIVE_ERROR * 0.99);
  });

  test("merging parts gives what adding all would, in any order", () => {
    fc.assert(
      fc.property(durations, durations, durations, (one, two, three) => {
        const all = histogramOf([...one, ...two, ...three]);
        const merged = histogramOf(three);
        merged.merge(histogramOf(one));
        merged.merge(histogramOf(two));
        expect(parts(merged)).toEqual(parts(all));
        expect(merged.sum / all.sum).toBeCloseTo(1, 9);
      }),
    );
  });

  test("encoding keeps everything", () => {
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 3 }), (values, times) => {
        const histogram = histogramOf(values);
        const read = new Histogram();
        for (let at = 0; at < times; at += 1) read.mergeEncoded(histogram.encode(), histogram);
        const expected = new Histogram();
        for (let at = 0; at < times; at += 1) expected.merge(histogram);
        expect(parts(read)).toEqual(parts(expected));
      }),
    );
  });

  test("counts beyond 32 bits survive encoding", () => {
    const histogram = histogramOf([3]);
    for (let doubling = 0; doubling < 40; doubling += 1) {
      const twin = new Histogram();
      twin.merge(histogram);
      histogram.merge(twin);
    }
    const read = new Histogram();
    read.mergeEncoded(histogram.encode(), histogram);
    expect(read.count).toBe(2 ** 40);
    expect(read.countAtMost(4)).toBe(2 ** 40);
  });

  test("the edges: nothing, zero, below the first bucket, beyond the last", () => {
    expect(new Histogram().quantile(0.5)).toBeNull();
    expect(histogramOf([0]).quantile(0.5)).toBe(0);
    expect(histogramOf([0, HISTOGRAM_MIN / 2, 1]).quantile(0.5)).toBe(0);
    expect(histogramOf([1, HISTOGRAM_MAX * 8]).quantile(1)).toBe(HISTOGRAM_MAX * 8);
  });

  test("a cumulative count never falls as values are added", () => {
    fc.assert(
      fc.property(durations, duration, (values, bound) => {
        const histogram = new Histogram();
        let before = 0;
        for (const value of values) {
          histogram.add(value);
          const now = histogram.countAtMost(bound);
          expect(now).toBeGreaterThanOrEqual(before);
          before = now;
        }
      }),
    );
  });

  test("damaged bytes are refused, not counted", () => {
    const good = histogramOf([1, 2, 3]).encode();
    const truncated = good.slice(0, -1);
    const otherFormat = Uint8Array.from([9, ...good.slice(1)]);
    const beyondTheEnd = Uint8Array.from([1, 0xff, 0xff, 0x7f, 1]);
    for (const bytes of [truncated, otherFormat, beyondTheEnd, new Uint8Array()]) {
      expect(() =>
        new Histogram().mergeEncoded(bytes, { count: 3, sum: 6, min: 1, max: 3 }),
      ).toThrow(expect.objectContaining({ code: "METRICS_DAMAGED" }));
    }
  });
});
