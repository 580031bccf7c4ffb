import { describe, expect, jest, test } from "@jest/globals";
import { CallTimeoutError, CircuitBreaker, CircuitOpenError } from "@holdfast/breaker";
import { DOWN, fail, failTimes, held, settled, succeed, thrownBy } from "./support/calls.ts";
import { FakeClock } from "@holdfast/core/testing";

function create(options = {}): { breaker: CircuitBreaker; clock: FakeClock } {
  const clock = new FakeClock();
  return { breaker: new CircuitBreaker({ name: "chroma", ...options }, { clock }), clock };
}

describe("closed, open, half-open", () => {
  test("five failures in a row open it, and it refuses without running", async () => {
    const { breaker, clock } = create();
    await failTimes(breaker, 4);
    expect(breaker.state()).toBe("closed");
    expect(await fail(breaker)).toBe(DOWN);
    expect(breaker.state()).toBe("open");

    clock.pass(10_000);
    let ran = false;
    const refusal = await thrownBy(breaker.execute(() => (ran = true)));
    expect(ran).toBe(false);
    expect(refusal).toBeInstanceOf(CircuitOpenError);
    expect(refusal).toMatchObject({
      code: "BREAKER_OPEN",
      retryable: true,
      retryAfterMs: 50_000,
      state: "open",
      reason: "open",
    });
  });

  test("a success in between starts the count again", async () => {
    const { breaker } = create();
    await failTimes(breaker, 4);
    await succeed(breaker);
    await failTimes(breaker, 4);
    expect(breaker.state()).toBe("closed");
  });

  test("after the recovery timeout, three successful probes close it", async () => {
    const { breaker, clock } = create();
    await failTimes(breaker, 5);
    clock.pass(59_999);
    expect(await fail(breaker)).toBeInstanceOf(CircuitOpenError);
    clock.pass(1);
    await succeed(breaker);
    expect(breaker.state()).toBe("half-open");
    await succeed(breaker);
    await succeed(breaker);
    expect(breaker.state()).toBe("closed");
  });

  test("a failed probe opens it for another whole recovery timeout", async () => {
    const { breaker, clock } = create();
    await failTimes(breaker, 5);
    clock.pass(60_000);
    expect(await fail(breaker)).toBe(DOWN);
    expect(breaker.state()).toBe("open");
    expect(await fail(breaker)).toMatchObject({ retryAfterMs: 60_000 });
  });

  test("one probe runs at a time, and the others are refused at once", async () => {
    const { breaker, clock } = create();
    await failTimes(breaker, 5);
    clock.pass(60_000);
    const probe = held();
    const running = breaker.execute(probe.work);
    await probe.started;
    const refusal = await thrownBy(succeed(breaker));
    expect(refusal).toMatchObject({ code: "BREAKER_OPEN", reason: "half-open" });
    probe.resolve("healed");
    expect(await running).toBe("healed");
    await succeed(breaker);
  });

  test("halfOpenProbesMax probes run at once, never more than are still needed", async () => {
    const { breaker, clock } = create({ halfOpenProbesMax: 10, successThreshold: 2 });
    await failTimes(breaker, 5);
    clock.pass(60_000);
    const probes = [held(), held(), held()];
    const results = Promise.allSettled(probes.map(({ work }) => breaker.execute(work)));
    await settled();
    for (const probe of probes) probe.resolve("ok");
    expect((await results).map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    expect(breaker.state()).toBe("closed");
  });
});

describe("outcomes", () => {
  test("an ignored error counts neither way", async () => {
    const notFound = new Error("404");
    const classify = (error: unknown): "ignored" | "failure" =>
      error === notFound ? "ignored" : "failure";
    const { breaker, clock } = create({ classify });
    await failTimes(breaker, 4);
    const ignored = (): Promise<unknown> =>
      thrownBy(breaker.execute(() => Promise.reject(notFound)));
    expect(await ignored()).toBe(notFound);
    await fail(breaker);
    expect(breaker.state()).toBe("open");

    clock.pass(60_000);
    for (let call = 0; call < 5; call++) expect(await ignored()).toBe(notFound);
    expect(breaker.state()).toBe("half-open");
    expect(breaker.explain().evidence).toMatchObject({ successes: 0, probesRunning: 0 });
  });

  test("a classifier that throws is told of, and its error counts as a failure", async () => {
    const warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    try {
      const classify = (): never => {
        throw new Error("a bug");
      };
      const { breaker } = create({ classify, failureThreshold: 1 });
      expect(await fail(breaker)).toBe(DOWN);
      expect(breaker.state()).toBe("open");
      expect(warned).toHaveBeenCalledTimes(1);
    } finally {
      warned.mockRestore();
    }
  });

  test("a result from before the trip decides nothing", async () => {
    const { breaker, clock } = create();
    const [early, late] = [held(), held()];
    const calls = [breaker.execute(early.work), breaker.execute(late.work)];
    await failTimes(breaker, 5);
    early.resolve("stale");
    await calls[0];
    expect(breaker.state()).toBe("open");
    clock.pass(60_000);
    await succeed(breaker);
    late.reject(DOWN);
    expect(await thrownBy(calls[1] as Promise<string>)).toBe(DOWN);
    expect(breaker.state()).toBe("half-open");
    expect(breaker.explain().calls.stale).toBe(2);
  });

  test("the time limit is a failure, and aborts the call's own signal alone", async () => {
    const { breaker } = create({ timeoutMs: 5, failureThreshold: 1 });
    const [hung, other] = [held(), held()];
    const bystander = breaker.execute(other.work, { timeoutMs: 0 });
    const timeout = await thrownBy(breaker.execute(hung.work));
    expect(timeout).toBeInstanceOf(CallTimeoutError);
    expect(timeout).toMatchObject({ code: "CALL_TIMEOUT", timeoutMs: 5, retryable: true });
    const signal = await hung.started;
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(timeout);
    expect((await other.started).aborted).toBe(false);
    expect(breaker.state()).toBe("open");
    other.resolve("unharmed");
    expect(await bystander).toBe("unharmed");
  });

  test("the caller's abort reaches the work, ends the call, and is ignored", async () => {
    const { breaker } = create({ failureThreshold: 1 });
    const controller = new AbortController();
    const hung = held();
    const running = breaker.execute(hung.work, { signal: controller.signal });
    const signal = await hung.started;
    const reason = new Error("user pressed ^C");
    controller.abort(reason);
    expect(await thrownBy(running)).toBe(reason);
    expect(signal.reason).toBe(reason);
    expect(breaker.state()).toBe("closed");
    expect(breaker.explain().calls).toMatchObject({ ignored: 1, failed: 0 });
  });

  test("work that throws or answers synchronously behaves as if it were asynchronous", async () => {
    const { breaker } = create();
    expect(await breaker.execute(() => undefined)).toBeUndefined();
    const thrown = await thrownBy(
      breaker.execute(() => {
        throw DOWN;
      }),
    );
    expect(thrown).toBe(DOWN);
    expect(breaker.explain().evidence.failures).toBe(1);
  });
});
