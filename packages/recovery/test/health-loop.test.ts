import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  type CheckOutcome,
  type CheckStatus,
  commandCheck,
  HealthLoop,
  type HealthLoopOptions,
  type HealthReport,
  runChecks,
  serviceStatus,
} from "../src/index.ts";
import { FakeClock } from "@holdfast/core/testing";

const PASS: CheckOutcome = { status: "pass", message: "ok" };
const FAIL: CheckOutcome = { status: "fail", message: "no" };

/** A loop with one check that answers as the test says. */
function loopOf(options: HealthLoopOptions = {}): {
  look: (status: CheckStatus) => Promise<HealthReport>;
  loop: HealthLoop;
  clock: FakeClock;
} {
  const clock = new FakeClock();
  let next: CheckStatus = "pass";
  const check = { name: "canary", run: () => ({ status: next, message: next }) };
  const loop = new HealthLoop(options, { checks: [check], clock });
  const look = (status: CheckStatus): Promise<HealthReport> => {
    next = status;
    return loop.round();
  };
  return { look, loop, clock };
}

describe("checks", () => {
  test("run at the same time, each under its own limit: a slow one hides no other", async () => {
    const seen: string[] = [];
    const results = await runChecks(
      [
        { name: "hangs", timeoutMs: 80, run: () => new Promise<never>(() => undefined) },
        { name: "answers", run: () => PASS },
        { name: "throws", run: () => Promise.reject(new Error("ECONNREFUSED")) },
        { name: "hangs-too", timeoutMs: 80, run: () => new Promise<never>(() => undefined) },
      ],
      { onResult: ({ check }) => seen.push(check) },
    );
    expect(seen.slice(0, 2).toSorted()).toEqual(["answers", "throws"]);
    expect(results.map(({ status, message }) => [status, message])).toEqual([
      ["fail", "no answer within 80 ms"],
      ["pass", "ok"],
      ["fail", "ECONNREFUSED"],
      ["fail", "no answer within 80 ms"],
    ]);
  });

  test("a limit that is longer than a timer can last is none", async () => {
    const command = commandCheck({
      name: "command",
      command: [process.execPath, "--eval", ""],
      timeoutMs: 60 * 86_400_000,
    });
    const run = (): Promise<CheckOutcome> => new Promise((answer) => setTimeout(answer, 20, PASS));
    const results = await runChecks([command, { name: "slow", timeoutMs: 60 * 86_400_000, run }]);
    expect(results.map(({ status }) => status)).toEqual(["pass", "pass"]);
  });

  test("a check is told by its signal when its time is over", async () => {
    let told = false;
    const run = ({ signal }: { signal: AbortSignal }): Promise<never> => {
      signal.addEventListener("abort", () => (told = true));
      return new Promise(() => undefined);
    };
    await runChecks([{ name: "hangs", timeoutMs: 10, run }]);
    expect(told).toBe(true);
  });

  test("the caller's signal ends the wait with its reason", async () => {
    const stop = new AbortController();
    const hanging = runChecks([{ name: "hangs", run: () => new Promise<never>(() => undefined) }], {
      signal: stop.signal,
    });
    stop.abort(new Error("Ctrl-C"));
    await expect(hanging).rejects.toThrow("Ctrl-C");
  });
});

describe("hysteresis", () => {
  test("the first look is believed; later ones need as many as the thresholds say", async () => {
    const { look } = loopOf({ failureThreshold: 3, successThreshold: 2 });
    const statuses = [];
    for (const status of ["pass", "fail", "fail", "fail", "pass", "pass"] as const) {
      statuses.push((await look(status)).status);
    }
    expect(statuses).toEqual([
      "healthy",
      "degraded",
      "degraded",
      "unhealthy",
      "recovering",
      "healthy",
    ]);
  });

  test("a first failure is believed at once", async () => {
    expect((await loopOf({ failureThreshold: 3 }).look("fail")).status).toBe("unhealthy");
  });

  test("a service that flaps is neither called down nor healthy", async () => {
    const { look } = loopOf({ failureThreshold: 2, successThreshold: 2 });
    await look("pass");
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await look("fail")).status).toBe("degraded");
      await look("pass");
    }
  });

  test("after a proved recovery nothing older counts", async () => {
    const { look, loop } = loopOf();
    await look("fail");
    loop.forget();
    expect((await look("pass")).status).toBe("healthy");
  });

  test("property: it changes its mind only after so many looks in a row", async () => {
    const checked = fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (looks, failureThreshold, successThreshold) => {
          const { look } = loopOf({ failureThreshold, successThreshold });
          let down: boolean | undefined;
          for (const [index, passes] of looks.entries()) {
            const { checks } = await look(passes ? "pass" : "fail");
            const belief = checks[0]?.belief;
            const downNow = belief === "failing" || belief === "returning";
            if (down !== undefined && downNow !== down) {
              const needed = downNow ? failureThreshold : successThreshold;
              const run = looks.slice(index + 1 - needed, index + 1);
              if (run.length !== needed || run.some((each) => each === downNow)) return false;
            }
            down = downNow;
          }
          return true;
        },
      ),
      { numRuns: 100 },
    );
    await expect(checked).resolves.toBeUndefined();
  });
});

describe("freshness", () => {
  test("evidence older than three intervals is unknown, whatever it said", async () => {
    const { look, loop, clock } = loopOf({ intervalMs: 10_000 });
    await look("pass");
    await clock.advance(30_000);
    expect(loop.report().status).toBe("healthy");
    await clock.advance(1);
    expect(loop.report()).toMatchObject({ status: "unknown", checks: [{ status: "unknown" }] });
  });

  test("a jump of the wall clock ages nothing", async () => {
    const { look, loop, clock } = loopOf();
    await look("pass");
    clock.jump(86_400_000);
    expect(loop.report().status).toBe("healthy");
    clock.jump(-2 * 86_400_000);
    expect(loop.report().status).toBe("healthy");
  });

  test("a look that finds nothing out is no evidence", async () => {
    const { look, loop, clock } = loopOf({ intervalMs: 10_000 });
    expect((await look("unknown")).status).toBe("unknown");
    await look("pass");
    await clock.advance(20_000);
    await look("unknown");
    expect(loop.report().status).toBe("healthy");
    await clock.advance(10_001);
    expect(loop.report().status).toBe("unknown");
  });

  test("a loop that has not looked knows nothing", () => {
    expect(loopOf().loop.report()).toMatchObject({ status: "unknown", checks: [] });
  });
});

test("the next round is soon while anything is wrong, and at the interval otherwise", async () => {
  const { look, loop, clock } = loopOf({ intervalMs: 30_000, anxiousMs: 2_000 });
  expect(loop.dueInMs()).toBe(0);
  await look("pass");
  expect(loop.dueInMs()).toBe(30_000);
  await look("fail");
  expect(loop.dueInMs()).toBe(2_000);
  await clock.advance(1_500);
  expect(loop.dueInMs()).toBe(500);
});

test("rounds do not overlap: who asks meanwhile gets the one that runs", async () => {
  let runs = 0;
  const loop = new HealthLoop({}, { checks: [{ name: "count", run: () => (runs++, PASS) }] });
  await Promise.all([loop.round(), loop.round()]);
  expect(runs).toBe(1);
});

test("who asks meanwhile gets a report though the one who asked first gives up", async () => {
  const run = (): Promise<CheckOutcome> => new Promise((answer) => setTimeout(answer, 50, PASS));
  const loop = new HealthLoop({}, { checks: [{ name: "slow", run }] });
  const first = new AbortController();
  const gone = loop.round(first.signal);
  const report = loop.round();
  first.abort(new Error("enough"));
  await expect(gone).rejects.toThrow("enough");
  await expect(report).resolves.toMatchObject({ status: "healthy" });
});

test("who asks meanwhile and gives up does not wait for the one who asked first", async () => {
  const { promise, resolve } = Promise.withResolvers<CheckOutcome>();
  const loop = new HealthLoop({}, { checks: [{ name: "slow", run: () => promise }] });
  const first = loop.round();
  await expect(loop.round(AbortSignal.timeout(10))).rejects.toMatchObject({ name: "TimeoutError" });
  resolve(PASS);
  await expect(first).resolves.toMatchObject({ status: "healthy" });
});

test.each([
  [[], "unknown"],
  [[{ status: "pass", severity: "unhealthy" }], "healthy"],
  [[{ status: "warn", severity: "unhealthy" }], "degraded"],
  [[{ status: "fail", severity: "degraded" }], "degraded"],
  [[{ status: "unknown", severity: "degraded" }], "degraded"],
  [[{ status: "fail", severity: "none" }], "unknown"],
  [
    [
      { status: "warn", severity: "none" },
      { status: "pass", severity: "offline" },
    ],
    "healthy",
  ],
  [[{ status: "unknown", severity: "unhealthy" }], "unknown"],
  [
    [
      { status: "unknown", severity: "unhealthy" },
      { status: "fail", severity: "unhealthy" },
    ],
    "unhealthy",
  ],
  [
    [
      { status: "fail", severity: "unhealthy" },
      { status: "fail", severity: "offline" },
    ],
    "offline",
  ],
  [[{ status: "warn", severity: "unhealthy", returning: true }], "recovering"],
] as const)("%j make the service %s", (checks, status) => {
  expect(serviceStatus(checks)).toBe(status);
});

test("a failure keeps its hint", async () => {
  const error = Object.assign(new Error("no"), { hint: "start it" });
  const [result] = await runChecks([{ name: "x", run: () => Promise.reject(error) }]);
  expect(result).toMatchObject({ ...FAIL, hint: "start it" });
});
