import { expect, test } from "@jest/globals";
import { FakeClock } from "@holdfast/core/testing";

test("time passes only when told, and wakes sleepers in order of time", async () => {
  const clock = new FakeClock(1_000);
  const woken: [string, number][] = [];
  const sleeper = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  const all = Promise.all([sleeper("late", 300), sleeper("early", 100)]);
  await clock.advance(99);
  expect(woken).toEqual([]);
  expect(clock.sleeping).toBe(2);
  await clock.advance(300);
  expect(woken).toEqual([
    ["early", 1_100],
    ["late", 1_300],
  ]);
  await all;
  expect(clock.now()).toBe(1_399);
  expect(clock.monotonic()).toBe(1_399);
});

test("what a sleeper starts when it wakes happens within the same advance", async () => {
  const clock = new FakeClock(0);
  const ticks: number[] = [];
  const ticking = (async () => {
    for (let tick = 0; tick < 3; tick += 1) {
      await clock.sleep(10);
      ticks.push(clock.now());
    }
  })();
  await clock.advance(30);
  await ticking;
  expect(ticks).toEqual([10, 20, 30]);
});

test("an aborted sleep rejects with the reason and is forgotten", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const sleep = clock.sleep(1_000, controller.signal);
  controller.abort(new Error("enough"));
  await expect(sleep).rejects.toThrow("enough");
  expect(clock.sleeping).toBe(0);
  await expect(clock.sleep(1, controller.signal)).rejects.toThrow("enough");
});

test("time that passes at once wakes nobody before the next advance", async () => {
  const clock = new FakeClock(0);
  const woken: number[] = [];
  const sleep = clock.sleep(10).then(() => woken.push(clock.now()));
  clock.pass(50);
  expect(clock.now()).toBe(50);
  expect(clock.monotonic()).toBe(1_050);
  await Promise.resolve();
  expect(woken).toEqual([]);
  await clock.advance(0);
  await sleep;
  expect(woken).toEqual([50]);
});

test("a jump moves the wall clock alone", () => {
  const clock = new FakeClock(5_000);
  clock.jump(-4_000);
  expect(clock.now()).toBe(1_000);
  expect(clock.monotonic()).toBe(1_000);
});
