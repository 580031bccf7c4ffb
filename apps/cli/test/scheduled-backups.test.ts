import { expect, test } from "@jest/globals";
import { HoldfastError } from "@holdfast/core";
import { FakeClock } from "@holdfast/core/testing";
import { keepSchedule } from "../src/backup/scheduled-backups.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Every night at midnight UTC, and what became of it. */
function stage(backUp: () => Promise<string> = () => Promise.resolve("made")) {
  const clock = new FakeClock();
  const notes: string[] = [];
  const ending = new AbortController();
  const begin = (last: number | undefined): Promise<void> =>
    keepSchedule(
      {
        dueAfter: (at) => (Math.floor(at / DAY_MS) + 1) * DAY_MS,
        backUp,
        note: (line) => notes.push(line),
        clock,
      },
      last,
      ending.signal,
    );
  return { clock, notes, begin, end: () => ending.abort() };
}

test("one a night, and at once one that was missed", async () => {
  const { clock, notes, begin, end } = stage();
  const kept = begin(clock.now() - 3 * DAY_MS);
  await clock.advance(0);
  expect(notes).toHaveLength(1);
  await clock.advance(DAY_MS - 1);
  expect(notes).toHaveLength(1);
  await clock.advance(1 + DAY_MS);
  expect(notes).toHaveLength(3);
  end();
  await kept;
});

// The next one came when the last one was dated: in years, and nobody was told.
test("a last one from the future, of a clock that was wrong, puts none off", async () => {
  const { clock, notes, begin, end } = stage();
  const kept = begin(clock.now() + 1_000 * DAY_MS);
  await clock.advance(DAY_MS);
  expect(notes).toHaveLength(1);
  end();
  await kept;
});

test("one that failed is made in five minutes, not the next night", async () => {
  let attempts = 0;
  const { clock, notes, begin, end } = stage(() => {
    attempts += 1;
    if (attempts > 1) return Promise.resolve("made");
    return Promise.reject(new HoldfastError("the disk is full", { code: "BACKUP_UNWRITABLE" }));
  });
  const kept = begin(clock.now() - DAY_MS);
  await clock.advance(300_000);
  expect(notes).toEqual([expect.stringContaining("the disk is full"), "made"]);
  end();
  await kept;
});
