import { getEventListeners } from "node:events";
import { describe, expect, jest, test } from "@jest/globals";
import { HoldfastError } from "@holdfast/core";
import {
  type Effect,
  type EffectAction,
  type EffectContext,
  type EffectHandlers,
  type EffectReport,
  EffectRunner,
  type PolicyEvent,
} from "@holdfast/policy";
import { FakeClock } from "@holdfast/core/testing";

const EVENT: PolicyEvent = { id: "e", type: "t", at: 0, scope: {} };

type Work = (context: EffectContext) => Promise<unknown>;

/** A runner whose every action does `work`. */
function runner(work: Work): { runner: EffectRunner; clock: FakeClock; reports: EffectReport[] } {
  const clock = new FakeClock();
  const reports: EffectReport[] = [];
  const handler = (_: unknown, context: EffectContext): Promise<unknown> => work(context);
  const handlers = new Proxy({}, { get: () => handler }) as EffectHandlers;
  const made = new EffectRunner(handlers, { clock, onReport: (report) => reports.push(report) });
  return { runner: made, clock, reports };
}

const effect = (action: Partial<EffectAction> = {}, index = 0): Effect => ({
  rule: "r",
  action: { type: "log_event", ...action } as EffectAction,
  index,
  key: `e/r/${index}`,
});

/** Lets what is under way come to where it waits for the clock. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

test("effects run one after the other, and each is told of", async () => {
  const order: string[] = [];
  const { runner: one, reports } = runner(async ({ effect: { key } }) => {
    order.push(`begin ${key}`);
    await settled();
    order.push(`end ${key}`);
    return key;
  });
  const returned = await one.run([effect({}, 0), effect({}, 1)], EVENT);
  expect(order).toEqual(["begin e/r/0", "end e/r/0", "begin e/r/1", "end e/r/1"]);
  expect(returned).toEqual(reports);
  expect(reports).toMatchObject([
    { outcome: "done", result: "e/r/0", attempts: 1, async: false },
    { outcome: "done", result: "e/r/1" },
  ]);
});

describe("retries", () => {
  const failing = (times: number, error: Error): Work => {
    let left = times;
    return () => ((left -= 1) >= 0 ? Promise.reject(error) : Promise.resolve("at last"));
  };

  test("as many as it says, so far apart as it says", async () => {
    const { runner: one, clock } = runner(failing(2, new Error("not yet")));
    const running = one.run([effect({ retry_count: 2, retry_delay: 5 })], EVENT);
    for (const seconds of [5, 5]) {
      await settled();
      await clock.advance(seconds * 1_000);
    }
    expect(await running).toMatchObject([
      { outcome: "done", attempts: 3, result: "at last", durationMs: 10_000 },
    ]);
  });

  test("none by default, and none of what can never succeed", async () => {
    const { runner: one } = runner(failing(9, new Error("broken")));
    expect(await one.run([effect()], EVENT)).toMatchObject([
      { outcome: "failed", attempts: 1, error: { message: "broken" } },
    ]);
    const final = new HoldfastError("never", { code: "X" });
    const { runner: other } = runner(failing(9, final));
    expect(await other.run([effect({ retry_count: 5 })], EVENT)).toMatchObject([
      { outcome: "failed", attempts: 1, error: final },
    ]);
  });
});

test("an attempt ends at its timeout, and what it does is told to stop", async () => {
  let aborted = false;
  const { runner: one, clock } = runner(({ signal }) => {
    signal.addEventListener("abort", () => (aborted = true));
    return new Promise(() => undefined);
  });
  const running = one.run([effect({ timeout: 3 })], EVENT);
  await settled();
  await clock.advance(2_999);
  expect(aborted).toBe(false);
  await clock.advance(1);
  expect(await running).toMatchObject([
    { outcome: "failed", error: { code: "POLICY_ACTION_TIMEOUT" } },
  ]);
  expect(aborted).toBe(true);
  expect(clock.sleeping).toBe(0);
});

describe("asynchronous effects", () => {
  test("are waited for by nobody but the end", async () => {
    let finish = (): void => undefined;
    const { runner: one, reports } = runner(() => new Promise<void>((done) => (finish = done)));
    expect(await one.run([effect({ async_execution: true })], EVENT)).toEqual([]);
    await settled();
    const closing = one.close(1_000);
    expect(reports).toEqual([]);
    finish();
    await closing;
    expect(reports).toMatchObject([{ outcome: "done", async: true }]);
  });

  test("that do not end are aborted at the end", async () => {
    const { runner: one, clock, reports } = runner(() => new Promise(() => undefined));
    await one.run([effect({ async_execution: true, timeout: 3600, retry_count: 9 })], EVENT);
    await settled();
    const closing = one.close(1_000);
    await settled();
    await clock.advance(1_000);
    await closing;
    expect(reports).toMatchObject([{ outcome: "failed", attempts: 1 }]);
  });

  test("are only so many at once", async () => {
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const { runner: one, reports } = runner(async () => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((done) => ends.push(done));
      running -= 1;
    });
    const effects = Array.from({ length: 200 }, (_, at) => effect({ async_execution: true }, at));
    const all = one.run(effects, EVENT).then(() => one.idle());
    const end = { reached: false };
    void all.then(() => (end.reached = true));
    while (!end.reached) {
      await settled();
      ends.shift()?.();
    }
    expect(most).toBe(65);
    // One that had to wait its turn is not said to have run beside the rest.
    expect(reports.filter((report) => report.async).length).toBeLessThan(200);
  });
});

test("a listener that throws harms neither who waits for the effect nor what runs beside", async () => {
  const warnings = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const handlers = new Proxy({}, { get: () => () => Promise.resolve() }) as EffectHandlers;
  const one = new EffectRunner(handlers, {
    onReport: () => {
      throw new Error("its own fault");
    },
  });
  expect(await one.run([effect()], EVENT)).toMatchObject([{ outcome: "done" }]);
  await one.run([effect({ async_execution: true })], EVENT);
  await one.idle();
  expect(warnings.mock.calls).toHaveLength(2);
  expect(warnings.mock.calls[0]?.[0]).toMatchObject({ message: "its own fault" });
  warnings.mockRestore();
});

test("nothing of an effect that is done waits for the runner's end", async () => {
  const signals: AbortSignal[] = [];
  const { runner: one } = runner(({ signal }) => {
    signals.push(signal);
    return Promise.resolve();
  });
  await one.run([effect()], EVENT);
  expect(signals.map((signal) => getEventListeners(signal, "abort").length)).toEqual([0]);
});
