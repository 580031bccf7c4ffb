import { spawnSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import {
  durationMs,
  formatDuration,
  fullJitterMs,
  HoldfastError,
  seededRandom,
  systemClock,
} from "@holdfast/core";

describe("durationMs", () => {
  test.each([
    [30, 30_000],
    [0.25, 250],
    ["30", 30_000],
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
  ])("%p is %p ms", (value, expected) => {
    expect(durationMs(value)).toBe(expected);
  });

  const endless = [Number.POSITIVE_INFINITY, Number.MAX_VALUE, "9".repeat(400)];
  test.each([-1, Number.NaN, ...endless, "", "soon", "-5s", "5 weeks", "1e3s"])(
    "refuses %p and says what is accepted",
    (value) => {
      expect(() => durationMs(value)).toThrow(
        expect.objectContaining({ code: "DURATION_INVALID", hint: expect.stringContaining("30s") }),
      );
    },
  );
});

test.each([
  [0, "0 ms"],
  [850, "850 ms"],
  [1_240, "1.2 s"],
  [42_000, "42 s"],
  [300_000, "5 min"],
  [7_200_000, "2 h"],
  [345_600_000, "4 d"],
])("formatDuration(%p) is %p", (ms, expected) => {
  expect(formatDuration(ms)).toBe(expected);
});

test("seededRandom repeats itself for a seed, differs between seeds, stays in [0, 1)", () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 1_000 }, () => random.next());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(draw(7).every((value) => value >= 0 && value < 1)).toBe(true);
});

test("fullJitterMs grows to its cap and never passes it", () => {
  const highest = { next: () => 0.999_999 };
  const delays = [1, 2, 3, 10].map((attempt) =>
    fullJitterMs(attempt, { baseMs: 100, maxMs: 1_000 }, highest),
  );
  expect(delays).toEqual([99, 199, 399, 999]);
  expect(fullJitterMs(5, { baseMs: 100, maxMs: 1_000 }, { next: () => 0 })).toBe(0);
});

test("sleep ends early with the signal's reason", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
});

test("sleep of longer than a timer can last does not end at once", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60 * 86_400_000, controller.signal);
  const sooner = systemClock.sleep(50);
  await expect(Promise.race([sleeping.then(() => "ended"), sooner])).resolves.toBeUndefined();
  controller.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
});

test("HoldfastError keeps its cause and says whether a retry can help", () => {
  const cause = new Error("disk");
  const error = new HoldfastError("no", { code: "X", hint: "y", retryable: true, cause });
  expect(error).toMatchObject({ code: "X", hint: "y", retryable: true, cause });
});

test("monotonic time is one for all processes of this machine", () => {
  const script = "process.stdout.write(String(process.hrtime.bigint()))";
  const before = systemClock.monotonic();
  const { stdout } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  const theirs = Number(stdout) / 1e6;
  expect(theirs).toBeGreaterThan(before);
  expect(theirs).toBeLessThan(systemClock.monotonic());
});
