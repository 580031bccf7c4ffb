// Each trap that opossum 10 sets, as a test that this breaker does not fall into it.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, jest, test } from "@jest/globals";
import { CircuitBreaker, MemoryBreakerStateStore } from "@holdfast/breaker";
import { DOWN, fail, failTimes, held, settled, succeed, thrownBy } from "./support/calls.ts";
import { FakeClock } from "@holdfast/core/testing";

const rate = (failureRate: number) =>
  ({ trip: { kind: "count", calls: 10, failureRate, minimumCalls: 10 } }) as const;

describe("the trip rule", () => {
  test("half of the calls failing reaches a limit of one half", async () => {
    const breaker = new CircuitBreaker({ name: "b", ...rate(0.5) });
    for (let pair = 0; pair < 5; pair++) {
      await fail(breaker);
      await succeed(breaker);
    }
    expect(breaker.state()).toBe("open");
  });

  test("a limit of 100 % trips when every call fails", async () => {
    const breaker = new CircuitBreaker({ name: "b", ...rate(1) });
    await failTimes(breaker, 10);
    expect(breaker.state()).toBe("open");
  });

  test("the call that completes the minimum may be a success", async () => {
    const breaker = new CircuitBreaker({ name: "b", ...rate(0.5) });
    await failTimes(breaker, 9);
    expect(breaker.state()).toBe("closed");
    await succeed(breaker);
    expect(breaker.state()).toBe("open");
  });

  test("neither refused nor running calls dilute the rate", async () => {
    const breaker = new CircuitBreaker({ name: "b", bulkhead: { concurrencyMax: 9 }, ...rate(1) });
    const running = Array.from({ length: 8 }, () => held());
    const calls = running.map(({ work }) => breaker.execute(work));
    await failTimes(breaker, 9);
    const [last] = [held()];
    calls.push(breaker.execute(last.work));
    expect(await fail(breaker)).toMatchObject({ code: "BULKHEAD_FULL" });
    last.reject(DOWN);
    expect(await thrownBy(calls[8] as Promise<string>)).toBe(DOWN);
    expect(breaker.state()).toBe("open");
    for (const { resolve } of running) resolve("ok");
    await Promise.all(calls.slice(0, 8));
  });

  test("time limits longer than the window still trip", async () => {
    jest.useFakeTimers();
    try {
      const trip = { kind: "time", windowMs: 10_000, failureRate: 0.5, minimumCalls: 1 } as const;
      const clock = new FakeClock();
      const breaker = new CircuitBreaker({ name: "b", timeoutMs: 30_000, trip }, { clock });
      const timeout = thrownBy(breaker.execute(held().work));
      clock.pass(30_000);
      await jest.advanceTimersByTimeAsync(30_000);
      expect(await timeout).toMatchObject({ code: "CALL_TIMEOUT" });
      expect(breaker.state()).toBe("open");
    } finally {
      jest.useRealTimers();
    }
  });
});

describe("half-open", () => {
  test("an ignored error does not close it", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker(
      { name: "b", successThreshold: 1, classify: (e) => (e === DOWN ? "failure" : "ignored") },
      { clock },
    );
    await failTimes(breaker, 5);
    clock.pass(60_000);
    await thrownBy(breaker.execute(() => Promise.reject(new Error("404"))));
    expect(breaker.state()).toBe("half-open");
  });

  test("a call begun before the trip does not close it", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ name: "b", successThreshold: 1 }, { clock });
    const early = held();
    const call = breaker.execute(early.work);
    await failTimes(breaker, 5);
    await breaker.probeNow("test");
    early.resolve("stale");
    await call;
    expect(breaker.state()).toBe("half-open");
  });

  test("a hung probe without a time limit does not wedge it", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ name: "b", timeoutMs: 0, successThreshold: 1 }, { clock });
    await failTimes(breaker, 5);
    clock.pass(60_000);
    const hung = held();
    const call = breaker.execute(hung.work);
    await hung.started;
    expect(await fail(breaker)).toMatchObject({ reason: "half-open", retryAfterMs: 1_000 });
    clock.pass(60_000);
    expect(breaker.explain().evidence).toMatchObject({ probesRunning: 0, probesUnknown: 1 });
    await succeed(breaker);
    expect(breaker.state()).toBe("closed");
    hung.resolve("late");
    await call;
    expect(breaker.explain().calls.stale).toBe(1);
  });

  test("a full bulkhead is not a failed probe", async () => {
    const clock = new FakeClock();
    const options = { name: "b", bulkhead: { concurrencyMax: 1 }, successThreshold: 1 };
    const breaker = new CircuitBreaker(options, { clock });
    await failTimes(breaker, 5);
    clock.pass(60_000);
    const probe = held();
    const call = breaker.execute(probe.work);
    expect(await fail(breaker)).toMatchObject({ code: "BULKHEAD_FULL" });
    probe.resolve("ok");
    await call;
    expect(breaker.state()).toBe("closed");
  });
});

describe("time limits and signals", () => {
  test("a timeout aborts its own call only, and later calls get a living signal", async () => {
    const breaker = new CircuitBreaker({ name: "b", timeoutMs: 5 });
    const [hung, neighbour] = [held(), held()];
    const bystander = breaker.execute(neighbour.work, { timeoutMs: 60_000 });
    await thrownBy(breaker.execute(hung.work));
    expect((await hung.started).aborted).toBe(true);
    expect((await neighbour.started).aborted).toBe(false);
    expect(await breaker.execute((signal) => signal.aborted)).toBe(false);
    neighbour.resolve("ok");
    await bystander;
  });

  test("a timed-out call keeps its slot until its work really ends", async () => {
    const breaker = new CircuitBreaker({
      name: "b",
      timeoutMs: 5,
      bulkhead: { concurrencyMax: 1 },
    });
    const hung = held();
    const seen: number[] = [];
    breaker.on("zombie", ({ zombies }) => seen.push(zombies));
    await thrownBy(breaker.execute(hung.work));
    expect(await fail(breaker)).toMatchObject({ code: "BULKHEAD_FULL" });
    expect(breaker.explain()).toMatchObject({ zombies: 1, running: 1 });
    hung.reject(DOWN);
    await settled();
    expect(breaker.explain()).toMatchObject({ zombies: 0, running: 0 });
    expect(await succeed(breaker)).toBe("ok");
    expect(seen).toEqual([1, 0]);
  });

  test("an inner breaker's time limit is not taken for the outer one's", async () => {
    const inner = new CircuitBreaker({ name: "inner", timeoutMs: 5 });
    const outer = new CircuitBreaker({ name: "outer", timeoutMs: 60_000 });
    let outerSignal: AbortSignal | undefined;
    const error = await thrownBy(
      outer.execute((signal) => {
        outerSignal = signal;
        return inner.execute(held().work);
      }),
    );
    expect(error).toMatchObject({ code: "CALL_TIMEOUT", timeoutMs: 5 });
    expect(outerSignal?.aborted).toBe(false);
    expect(outer.explain().calls).toMatchObject({ timedOut: 0, failed: 1 });
  });
});

describe("listeners", () => {
  test("one that throws or rejects neither hangs a caller nor turns success into failure", async () => {
    const warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    try {
      const breaker = new CircuitBreaker({ name: "b", failureThreshold: 1 });
      const seen: string[] = [];
      for (const event of ["outcome", "transition", "reject"] as const) {
        breaker.on(event, () => {
          throw new Error("listener");
        });
        breaker.on(event, () => Promise.reject(new Error("listener")));
        breaker.on(event, () => seen.push(event));
      }
      expect(await succeed(breaker)).toBe("ok");
      expect(await fail(breaker)).toBe(DOWN);
      expect(await fail(breaker)).toMatchObject({ code: "BREAKER_OPEN" });
      await settled();
      expect(seen).toEqual(["outcome", "outcome", "transition", "reject"]);
      expect(warned).toHaveBeenCalledTimes(8);
    } finally {
      warned.mockRestore();
    }
  });
});

describe("state and processes", () => {
  test("a restored breaker keeps its true openedAt and its limits", async () => {
    const clock = new FakeClock();
    const store = new MemoryBreakerStateStore({ clock });
    const first = new CircuitBreaker({ name: "b" }, { clock, store });
    const openedAt = clock.now();
    await failTimes(first, 5);
    clock.pass(45_000);
    const restored = new CircuitBreaker({ name: "b" }, { clock, store });
    expect(restored.explain()).toMatchObject({
      state: "open",
      since: openedAt,
      retryAfterMs: 15_000,
      nextProbeAt: openedAt + 60_000,
    });
    clock.pass(15_000);
    await succeed(restored);
    expect(restored.state()).toBe("half-open");
  });

  test("one options object serves many breakers and is never written", async () => {
    const options = Object.freeze({
      name: "b",
      failureThreshold: 1,
      trip: Object.freeze({ kind: "consecutive" as const }),
    });
    const [one, two] = [new CircuitBreaker(options), new CircuitBreaker(options)];
    await fail(one);
    expect([one.state(), two.state()]).toEqual(["open", "closed"]);
  });

  test("neither many breakers nor a used one keep a process alive or warn", async () => {
    const script = join(import.meta.dirname, "fixtures", "many-breakers.ts");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      "--conditions=@holdfast/source",
      "--disable-warning=ExperimentalWarning",
      script,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: "done", stderr: "" });
  });
});
