import { describe, expect, test } from "@jest/globals";
import { createRuleset, evaluate } from "@holdfast/policy";

/** Whether it is between the two times in `timezone`, for each minute of `hours` hours. */
function minutesWithin(
  start: string,
  end: string,
  timezone: string,
  from: number,
  hours: number,
): number {
  const rules = createRuleset([
    {
      name: "r",
      conditions: [{ type: "time_range", start_time: start, end_time: end, timezone }],
      actions: [{ type: "abort" }],
    },
  ]);
  let within = 0;
  for (let minute = 0; minute < hours * 60; minute += 1) {
    const now = from + minute * 60_000;
    const event = { id: "e", type: "t", at: now, scope: {} };
    const options = { now, timezone: "UTC", seed: "", counters: undefined };
    if (evaluate(rules, event, options).decision.kind === "abort") within += 1;
  }
  return within;
}

describe("a time range follows the clocks on the wall", () => {
  const spring = Date.UTC(2026, 2, 28, 23);
  const autumn = Date.UTC(2026, 9, 24, 22);
  test.each([
    ["on a common day", "02:00", "03:00", Date.UTC(2026, 5, 1, 22), 24, 60],
    ["when clocks go forward, the hour that is left out never is", "02:00", "03:00", spring, 23, 0],
    ["when clocks go back, the hour that comes twice is twice", "02:00", "03:00", autumn, 25, 120],
    [
      "a night across the change is an hour shorter",
      "22:00",
      "06:00",
      Date.UTC(2026, 2, 28, 12),
      24,
      420,
    ],
    [
      "a night across the change is an hour longer",
      "22:00",
      "06:00",
      Date.UTC(2026, 9, 24, 12),
      24,
      540,
    ],
    ["a whole day is what it is", "00:00", "24:00", spring, 23, 23 * 60],
  ])("%s", (_, start, end, from, hours, expected) => {
    expect(minutesWithin(start, end, "Europe/Berlin", from, hours)).toBe(expected);
  });

  test("half-hour zones and half-hour changes too", () => {
    // Lord Howe Island moves by 30 minutes.
    expect(
      minutesWithin("02:00", "02:30", "Australia/Lord_Howe", Date.UTC(2026, 9, 3, 13, 30), 24),
    ).toBe(0);
    expect(minutesWithin("09:00", "17:30", "Asia/Kolkata", Date.UTC(2026, 0, 1, 18, 30), 24)).toBe(
      510,
    );
  });
});
