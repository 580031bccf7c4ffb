import { expect, test } from "@jest/globals";
import { dueAt } from "@holdfast/memory";
import { retained } from "../../src/backup/retention.ts";

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 10, 22, 12);

const daily = (count: number): { id: string; madeAt: number; base: undefined }[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `day-${n}`,
    madeAt: NOON - n * DAY,
    base: undefined,
  }));

test("of a year of nights, the last ones, a week's each, and a month's each stay", () => {
  const keep = retained(daily(365), { last: 2, daily: 3, weekly: 2, monthly: 3 }, []);
  // 2026-11-22 is a Sunday: the week before ended on the 15th, October on the 31st.
  expect([...keep].toSorted()).toEqual(["day-0", "day-1", "day-2", "day-22", "day-53", "day-7"]);
});

test("nothing is kept that nothing names, but what is to stay always, and what it needs", () => {
  const backups = [
    { id: "3", madeAt: 3, base: "2" },
    { id: "2", madeAt: 2, base: "1" },
    { id: "1", madeAt: 1, base: undefined },
    { id: "0", madeAt: 0, base: undefined },
  ];
  const none = { last: 0, daily: 0, weekly: 0, monthly: 0 };
  expect([...retained(backups, none, [])]).toEqual([]);
  expect([...retained(backups, none, ["3"])]).toEqual(["3", "2", "1"]);
});

test("a schedule says when it is next due", () => {
  const at = Date.UTC(2026, 10, 22, 2, 59, 59);
  expect(dueAt("0 3 * * *", at, "UTC")).toBe(Date.UTC(2026, 10, 22, 3));
  expect(dueAt("0 3 * * *", Date.UTC(2026, 10, 22, 3), "UTC")).toBe(Date.UTC(2026, 10, 23, 3));
  expect(() => dueAt("every night", at)).toThrow(
    expect.objectContaining({ code: "BACKUP_SCHEDULE_INVALID" }),
  );
});
