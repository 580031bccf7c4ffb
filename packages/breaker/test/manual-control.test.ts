import { describe, expect, test } from "@jest/globals";
import { CircuitBreaker, type TransitionEvent } from "@holdfast/breaker";
import { DOWN, fail, failTimes, succeed, thrownBy } from "./support/calls.ts";
import { FakeClock } from "@holdfast/core/testing";

function create(options = {}): { breaker: CircuitBreaker; clock: FakeClock } {
  const clock = new FakeClock();
  return { breaker: new CircuitBreaker({ name: "chroma", ...options }, { clock }), clock };
}

describe("an operator's order", () => {
  test("forced open refuses however long it takes, until reset", async () => {
    const { breaker, clock } = create();
    await breaker.forceOpen("maintenance");
    clock.pass(3_600_000);
    expect(await thrownBy(succeed(breaker))).toMatchObject({
      code: "BREAKER_OPEN",
      reason: "forced-open",
      retryAfterMs: 60_000,
    });
    expect(await breaker.probeNow("canary")).toBe(false);
    expect(breaker.explain()).toMatchObject({
      state: "open",
      forced: { mode: "open", reason: "maintenance" },
      nextProbeAt: null,
      next: "only a reset lifts this order",
    });
    await breaker.reset("done");
    expect(await succeed(breaker)).toBe("ok");
    expect(breaker.explain()).toMatchObject({ state: "closed", forced: null, why: "reset: done" });
  });

  test.each(["forceClosed", "disable"] as const)(
    "%s lets failures pass uncounted",
    async (order) => {
      const { breaker } = create();
      await failTimes(breaker, 5);
      await breaker[order]("trust me");
      await failTimes(breaker, 20);
      expect(breaker.state()).toBe("closed");
      await breaker.reset("enough");
      expect(breaker.explain().evidence.failures).toBe(0);
      await failTimes(breaker, 5);
      expect(breaker.state()).toBe("open");
    },
  );

  test("enabled: false decides nothing, while the time limit still holds", async () => {
    const { breaker } = create({ enabled: false, timeoutMs: 5 });
    await failTimes(breaker, 10);
    expect(breaker.state()).toBe("closed");
    const timeout = await thrownBy(breaker.execute(() => new Promise(() => {})));
    expect(timeout).toMatchObject({ code: "CALL_TIMEOUT" });
  });

  test("a verified canary makes an open breaker half-open at once", async () => {
    const { breaker } = create({ successThreshold: 1 });
    expect(await breaker.probeNow("canary")).toBe(false);
    await failTimes(breaker, 5);
    expect(await breaker.probeNow("canary wrote, read, deleted")).toBe(true);
    expect(breaker.explain()).toMatchObject({
      state: "half-open",
      why: "canary wrote, read, deleted",
    });
    await succeed(breaker);
    expect(breaker.state()).toBe("closed");
  });
});

describe("operations", () => {
  const operations = { write: { failureThreshold: 2 }, delete: {} };

  test("searches go on when only writes fail", async () => {
    const { breaker } = create({ operations });
    await failTimes(breaker, 2, { operation: "write" });
    expect(breaker.state("write")).toBe("open");
    expect(await fail(breaker, { operation: "write" })).toMatchObject({
      code: "BREAKER_OPEN",
      operation: "write",
    });
    expect(await succeed(breaker, { operation: "search" })).toBe("ok");
    expect(await succeed(breaker, { operation: "delete" })).toBe("ok");
    expect(breaker.state()).toBe("closed");
  });

  test("an operation takes what it does not state from the parent, which serves the others", async () => {
    const { breaker } = create({ failureThreshold: 3, operations });
    await failTimes(breaker, 3, { operation: "delete" });
    expect(breaker.state("delete")).toBe("open");
    await failTimes(breaker, 3, { operation: "search" });
    expect([breaker.state(), breaker.state("search"), breaker.state("write")]).toEqual([
      "open",
      "open",
      "closed",
    ]);
  });

  test("an order without an operation is for all, one with an operation for it alone", async () => {
    const { breaker } = create({ operations });
    await breaker.forceOpen("all");
    expect([breaker.state(), breaker.state("write")]).toEqual(["open", "open"]);
    await breaker.reset("only writes", "write");
    expect([breaker.state(), breaker.state("write")]).toEqual(["open", "closed"]);
    await expect(breaker.forceOpen("typo", "wirte")).rejects.toMatchObject({
      code: "BREAKER_OPTION_INVALID",
    });
    expect(Object.keys(breaker.explain().operations)).toEqual(["write", "delete"]);
  });
});

describe("telling why", () => {
  test("explain is plain data with the evidence, the time and the way out", async () => {
    const { breaker, clock } = create();
    const openedAt = clock.now();
    await failTimes(breaker, 5);
    clock.pass(20_000);
    const explanation = breaker.explain();
    expect(structuredClone(explanation)).toEqual(JSON.parse(JSON.stringify(explanation)));
    expect(explanation).toMatchObject({
      name: "chroma",
      operation: null,
      state: "open",
      since: openedAt,
      why: "5 failures in a row (threshold 5); the last: ECONNREFUSED connect refused",
      next: "in 40 s the next call runs as a probe",
      retryAfterMs: 40_000,
      nextProbeAt: openedAt + 60_000,
      generation: 1,
      forced: null,
      calls: { failed: 5, succeeded: 0 },
      store: { kind: "none", error: null },
    });
    expect(explanation.evidence.lastErrors).toHaveLength(5);
    expect(explanation.evidence.lastErrors[0]).toEqual({
      at: openedAt,
      name: "Error",
      message: "connect refused",
      code: "ECONNREFUSED",
    });
  });

  test("every transition is told once, in order, with its evidence", async () => {
    const { breaker, clock } = create({ successThreshold: 1 });
    const seen: TransitionEvent[] = [];
    const stop = breaker.on("transition", (event) => seen.push(event));
    await failTimes(breaker, 5);
    clock.pass(60_000);
    await succeed(breaker);
    stop();
    await breaker.forceOpen("unheard");
    expect(seen.map(({ from, to, generation }) => [from, to, generation])).toEqual([
      ["closed", "open", 1],
      ["open", "half-open", 2],
      ["half-open", "closed", 3],
    ]);
    expect(seen[0]?.errors).toHaveLength(5);
    expect(seen[1]?.why).toBe("open for 60 s, so a probe may run");
    expect(seen[2]?.why).toBe("1 probes succeeded (threshold 1)");
  });

  test("outcomes carry the duration, the error and whether a probe ran", async () => {
    const { breaker, clock } = create({ failureThreshold: 1 });
    const seen: unknown[] = [];
    breaker.on("outcome", ({ outcome, durationMs, error, probe }) =>
      seen.push({ outcome, durationMs, error, probe }),
    );
    await breaker.execute(() => clock.pass(7));
    await fail(breaker);
    await breaker.probeNow("test");
    await succeed(breaker);
    expect(seen).toEqual([
      { outcome: "success", durationMs: 7, error: undefined, probe: false },
      { outcome: "failure", durationMs: 0, error: DOWN, probe: false },
      { outcome: "success", durationMs: 0, error: undefined, probe: true },
    ]);
  });
});

describe("fallback", () => {
  test("answers refused and failed calls, not the caller's own abort", async () => {
    const asked: unknown[] = [];
    const { breaker } = create({
      failureThreshold: 1,
      fallback: (error: unknown, { operation }: { operation?: string }) => {
        asked.push(error);
        return `from the mirror (${operation})`;
      },
    });
    const search = { operation: "search" };
    const failing = breaker.execute(() => Promise.reject(DOWN), search);
    expect(await failing).toBe("from the mirror (search)");
    expect(await succeed(breaker, search)).toBe("from the mirror (search)");
    expect(asked).toEqual([DOWN, expect.objectContaining({ code: "BREAKER_OPEN" })]);
    const aborted = { ...search, signal: AbortSignal.abort(DOWN) };
    expect(await thrownBy(succeed(breaker, aborted))).toBe(DOWN);
    expect(asked).toHaveLength(2);
  });

  test("is not asked about the caller's own fault, or after close", async () => {
    const { breaker } = create({ classify: () => "ignored", fallback: () => "never" });
    expect(await fail(breaker)).toBe(DOWN);
    breaker.close();
    expect(await fail(breaker)).toMatchObject({ code: "BREAKER_DISPOSED" });
  });
});

test("after close nothing runs any more, and what runs keeps its time limit", async () => {
  const { breaker } = create({ timeoutMs: 5 });
  const running = thrownBy(breaker.execute(() => new Promise(() => {})));
  breaker.close();
  breaker.close();
  expect(await thrownBy(succeed(breaker))).toMatchObject({ code: "BREAKER_DISPOSED" });
  expect(await running).toMatchObject({ code: "CALL_TIMEOUT" });
});
