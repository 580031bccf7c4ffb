import assert from "node:assert/strict";
import { describe, expect, test } from "@jest/globals";
import { CircuitBreaker, CircuitOpenError, MemoryBreakerStateStore } from "@holdfast/breaker";
import * as fc from "fast-check";
import { DOWN, held, type Held, settled } from "./support/calls.ts";
import { FakeClock } from "@holdfast/core/testing";
import { type Finish, ReferenceBreaker, REFERENCE } from "./support/reference-breaker.ts";

interface RunningCall {
  held: Held<string>;
  ended: Promise<unknown>;
  breaker: CircuitBreaker;
  abort: AbortController;
  model: number;
}

/** The real thing: one breaker, or several that share a store as processes do. */
interface Real {
  clock: FakeClock;
  breakers: CircuitBreaker[];
  running: RunningCall[];
}

type Command = fc.AsyncCommand<ReferenceBreaker, Real>;

function pick<T>(items: readonly T[], at: number): T {
  return items[at % items.length] as T;
}

async function check(model: ReferenceBreaker, real: Real): Promise<void> {
  await settled();
  const expected = {
    state: model.state,
    forced: model.forced,
    failures: model.state === "closed" ? model.failures : 0,
    successes: model.state === "half-open" ? model.successes : 0,
    probesRunning: model.liveProbes(real.clock.now()).length,
  };
  for (const breaker of real.breakers) {
    const { state, evidence, forced } = breaker.explain();
    const { failures, successes, probesRunning } = evidence;
    const found = { state, forced: forced?.mode ?? null, failures, successes, probesRunning };
    assert.deepEqual(found, expected);
  }
}

class Start implements Command {
  readonly which: number;
  constructor(which: number) {
    this.which = which;
  }
  check = (): boolean => true;
  async run(model: ReferenceBreaker, real: Real): Promise<void> {
    const expected = model.start(real.clock.now());
    const breaker = pick(real.breakers, this.which);
    const call = held();
    const abort = new AbortController();
    const ended = breaker.execute(call.work, { signal: abort.signal, timeoutMs: 0 }).then(
      () => "success",
      (error: unknown) => error,
    );
    if (expected === undefined) {
      assert.ok((await ended) instanceof CircuitOpenError);
    } else {
      await call.started;
      real.running.push({ held: call, ended, breaker, abort, model: expected });
    }
    await check(model, real);
  }
  toString = (): string => `start(${this.which})`;
}

class End implements Command {
  readonly which: number;
  readonly how: Finish;
  constructor(which: number, how: Finish) {
    this.which = which;
    this.how = how;
  }
  check = (): boolean => true;
  async run(model: ReferenceBreaker, real: Real): Promise<void> {
    if (real.running.length === 0) return;
    const [call] = real.running.splice(this.which % real.running.length, 1) as [RunningCall];
    model.finish(call.model, this.how, real.clock.now());
    if (this.how === "success") call.held.resolve("ok");
    else if (this.how === "failure") call.held.reject(DOWN);
    else call.abort.abort(DOWN);
    assert.equal(await call.ended, this.how === "success" ? "success" : DOWN);
    call.held.resolve("late");
    await check(model, real);
  }
  toString = (): string => `end(${this.which}, ${this.how})`;
}

class Advance implements Command {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = (): boolean => true;
  async run(model: ReferenceBreaker, real: Real): Promise<void> {
    real.clock.pass(this.ms);
    await check(model, real);
  }
  toString = (): string => `advance(${this.ms})`;
}

type Order = "open" | "closed" | "disabled" | "reset" | "probe";

class Give implements Command {
  readonly order: Order;
  readonly which: number;
  constructor(order: Order, which: number) {
    this.order = order;
    this.which = which;
  }
  check = (): boolean => true;
  async run(model: ReferenceBreaker, real: Real): Promise<void> {
    const breaker = pick(real.breakers, this.which);
    const before = model.state === "open" && model.forced === null;
    model.order(this.order, real.clock.now());
    if (this.order === "open") await breaker.forceOpen("test");
    else if (this.order === "closed") await breaker.forceClosed("test");
    else if (this.order === "disabled") await breaker.disable("test");
    else if (this.order === "reset") await breaker.reset("test");
    else assert.equal(await breaker.probeNow("test"), before);
    await check(model, real);
  }
  toString = (): string => `order(${this.order}, ${this.which})`;
}

const RUNS = 300;
const anyIndex = fc.nat({ max: 20 });
const commands = fc.commands(
  [
    ...Array.from({ length: 4 }, () => anyIndex.map((which) => new Start(which))),
    ...Array.from({ length: 4 }, () =>
      fc
        .tuple(anyIndex, fc.constantFrom<Finish>("success", "failure", "failure", "ignored"))
        .map(([which, how]) => new End(which, how)),
    ),
    fc
      .constantFrom(1, REFERENCE.recoveryTimeoutMs - 1, REFERENCE.recoveryTimeoutMs)
      .map((ms) => new Advance(ms)),
    fc.constant(new Advance(REFERENCE.leaseMs)),
    fc
      .tuple(fc.constantFrom<Order>("open", "closed", "disabled", "reset", "probe"), anyIndex)
      .map(([order, which]) => new Give(order, which)),
  ],
  { size: "+2", maxCommands: 120 },
);

function realOf(breakers: number): Real {
  const clock = new FakeClock();
  const store = breakers > 1 ? new MemoryBreakerStateStore({ clock }) : undefined;
  const { failureThreshold, recoveryTimeoutMs, successThreshold, halfOpenProbesMax } = REFERENCE;
  const options = { failureThreshold, recoveryTimeoutMs, successThreshold, halfOpenProbesMax };
  return {
    clock,
    breakers: Array.from(
      { length: breakers },
      () =>
        new CircuitBreaker(
          { name: "model", ...options, pollMs: 0 },
          store === undefined ? { clock } : { clock, store },
        ),
    ),
    running: [],
  };
}

describe("the machine does what a 40-line model does", () => {
  // fast-check prints the seed and the shortest failing run.
  test.each([
    ["alone", 1],
    ["as three that share a store", 3],
  ])(
    "%s, whatever many concurrent callers and operators do",
    async (_name, breakers) => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(commands, async (run) => {
          const real = realOf(breakers);
          await fc.asyncModelRun(() => ({ model: new ReferenceBreaker(), real }), run);
          for (const call of real.running) call.held.resolve("end");
          await Promise.all(real.running.map(({ ended }) => ended));
          for (const breaker of real.breakers) breaker.close();
          runs++;
        }),
        { numRuns: RUNS },
      );
      expect(runs).toBe(RUNS);
    },
    120_000,
  );
});
