import { expect, test } from "@jest/globals";
import type { Memory } from "@holdfast/memory";
import { FakeClock } from "@holdfast/core/testing";
import { ScrubBeside } from "../../src/keeper/scrub-beside.ts";

const DAY_MS = 24 * 60 * 60_000;

function stage(): {
  clock: FakeClock;
  scrub: ScrubBeside;
  counts: { compared: number };
  damage: { different: string[]; bug?: Error };
} {
  const clock = new FakeClock();
  const counts = { compared: 0 };
  const damage: { different: string[]; bug?: Error } = { different: [] };
  let scrubbedAt: number | undefined;
  const memory = {
    status: () => ({ mirrored: 3, ledger: { stored: 3 } }),
    compare: () => {
      counts.compared += 1;
      const { different, bug } = damage;
      if (bug !== undefined) return Promise.reject(bug);
      const equal = different.length === 0;
      return Promise.resolve({ compared: 3, missing: [], different, foreign: 0, equal });
    },
  } as unknown as Memory;
  const scrub = new ScrubBeside({
    memory,
    clock,
    logger: { info: () => undefined, warn: () => undefined },
    database: {
      scrubbedAt: () => scrubbedAt,
      setScrubbed: () => {
        scrubbedAt = clock.now();
      },
    },
  });
  return { clock, scrub, counts, damage };
}

const look = (scrub: ScrubBeside): Promise<{ status: string }> =>
  Promise.resolve(scrub.check.run({ signal: new AbortController().signal }));

test("it compares once a day, only while the store serves, and looking costs nothing", async () => {
  const { clock, scrub, counts } = stage();
  scrub.tick(false);
  expect(counts.compared).toBe(0);
  scrub.tick(true);
  await new Promise(setImmediate);
  scrub.tick(true);
  for (let n = 0; n < 5; n += 1) expect((await look(scrub)).status).toBe("pass");
  expect(counts.compared).toBe(1);
  await clock.advance(DAY_MS - 1);
  scrub.tick(true);
  expect(counts.compared).toBe(1);
  await clock.advance(1);
  scrub.tick(true);
  expect(counts.compared).toBe(2);
  await scrub.stop();
});

test("what it finds fails the check until the store compares equal again", async () => {
  const { scrub, damage } = stage();
  damage.different = ["memory-2"];
  scrub.tick(true);
  await new Promise(setImmediate);
  expect(await look(scrub)).toMatchObject({
    status: "fail",
    message: expect.stringContaining("memory-2"),
  });
  expect((await look(scrub)).status).toBe("fail");
  damage.different = [];
  expect((await look(scrub)).status).toBe("pass");
  await scrub.stop();
});

test("a clock that is set back puts no comparison off", async () => {
  const { clock, scrub, counts } = stage();
  scrub.tick(true);
  await new Promise(setImmediate);
  clock.jump(-DAY_MS);
  // Not at once: one that could not be ended must not be begun again and again.
  await clock.advance(10 * 60_000);
  scrub.tick(true);
  await new Promise(setImmediate);
  expect(counts.compared).toBe(2);
  await clock.advance(10 * 60_000);
  scrub.tick(true);
  expect(counts.compared).toBe(2);
  await scrub.stop();
});

// It was an unhandled rejection, which ended the keeper at once and left its server behind.
test("a bug in it is thrown by the next tick, to whoever can still end the server", async () => {
  const { scrub, damage } = stage();
  damage.bug = new TypeError("a bug");
  scrub.tick(true);
  await new Promise(setImmediate);
  expect(() => scrub.tick(true)).toThrow("a bug");
  await scrub.stop();
});
