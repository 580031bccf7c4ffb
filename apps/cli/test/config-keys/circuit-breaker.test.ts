import { expect } from "@jest/globals";
import { createServer } from "node:net";
import { parseConfig } from "@holdfast/config";
import { callLimits } from "../../src/breaker-options.ts";
import { BreakerBench } from "./breaker-bench.ts";
import { type Bench, type KeyTest, keyTests } from "./key-tests.ts";

/** For each key: one value and another, what is done, and what shows then. */
interface Contrast {
  keys: readonly [string, string];
  shows: (breaker: BreakerBench) => Promise<unknown>;
  as: readonly [unknown, unknown];
}

const state =
  (...steps: readonly (string | number)[]) =>
  async (breaker: BreakerBench): Promise<string> => {
    await perform(breaker, steps);
    return breaker.state;
  };

const wait =
  (...steps: readonly (string | number)[]) =>
  async (breaker: BreakerBench): Promise<number | null> => {
    await perform(breaker, steps);
    return breaker.retryAfterMs;
  };

const opens = ["open", "closed"] as const;
const COUNT = "trip: {kind: count, minimum_calls: 2";
const TIME = "trip: {kind: time, minimum_calls: 2";
const SLOW = "slow_calls: {minimum_calls: 2";

const CONTRASTS: Readonly<Record<string, Contrast>> = {
  failure_threshold: { keys: ["failure_threshold: 2", ""], shows: state("xx"), as: opens },
  recovery_timeout: {
    keys: ["failure_threshold: 1, recovery_timeout: 5s", "failure_threshold: 1"],
    shows: wait("x"),
    as: [5_000, 60_000],
  },
  success_threshold: {
    keys: ["failure_threshold: 1, success_threshold: 1", "failure_threshold: 1"],
    shows: state("x", 60_000, "."),
    as: ["closed", "half-open"],
  },
  "trip.kind": {
    keys: [`${COUNT}, calls: 4, failure_rate: 1}`, `${TIME}, window: 10s, failure_rate: 1}`],
    shows: state("x", 60_000, "x"),
    as: opens,
  },
  "trip.calls": {
    keys: [`${COUNT}, calls: 2, failure_rate: 1}`, `${COUNT}, calls: 10, failure_rate: 1}`],
    shows: state("..xx"),
    as: opens,
  },
  "trip.window": {
    keys: [`${TIME}, window: 10s, failure_rate: 1}`, `${TIME}, window: 10m, failure_rate: 1}`],
    shows: state("..", 60_000, "xx"),
    as: opens,
  },
  "trip.failure_rate": {
    keys: [`${COUNT}, calls: 4, failure_rate: 0.5}`, `${COUNT}, calls: 4, failure_rate: 0.9}`],
    shows: state(".x"),
    as: opens,
  },
  "trip.minimum_calls": {
    keys: [
      "trip: {kind: count, calls: 9, failure_rate: 1, minimum_calls: 1}",
      "trip: {kind: count, calls: 9, failure_rate: 1, minimum_calls: 2}",
    ],
    shows: state("x"),
    as: opens,
  },
  "slow_calls.slower_than": {
    keys: [`${SLOW}, rate: 1, slower_than: 100ms}`, `${SLOW}, rate: 1, slower_than: 1s}`],
    shows: state("ss"),
    as: opens,
  },
  "slow_calls.rate": {
    keys: [`${SLOW}, rate: 0.5, slower_than: 100ms}`, `${SLOW}, rate: 0.9, slower_than: 100ms}`],
    shows: state(".s"),
    as: opens,
  },
  "slow_calls.window": {
    keys: [
      `${SLOW}, rate: 1, slower_than: 100ms, window: 10s}`,
      `${SLOW}, rate: 1, slower_than: 100ms, window: 10m}`,
    ],
    shows: state("..", 60_000, "ss"),
    as: opens,
  },
  "slow_calls.minimum_calls": {
    keys: [
      "slow_calls: {rate: 1, slower_than: 100ms, minimum_calls: 1}",
      "slow_calls: {rate: 1, slower_than: 100ms}",
    ],
    shows: state("s"),
    as: opens,
  },
  half_open_probes_max: {
    keys: ["failure_threshold: 1, half_open_probes_max: 2", "failure_threshold: 1"],
    shows: async (breaker) => {
      await perform(breaker, ["x", 60_000]);
      return breaker.letThrough(5);
    },
    as: [2, 1],
  },
  "backoff.multiplier": {
    keys: [
      "failure_threshold: 1, backoff: {multiplier: 3, jitter: 0}",
      "failure_threshold: 1, backoff: {jitter: 0}",
    ],
    shows: wait("x", 60_000, "x"),
    as: [180_000, 120_000],
  },
  "backoff.max": {
    keys: [
      "failure_threshold: 1, backoff: {max: 90s, jitter: 0}",
      "failure_threshold: 1, backoff: {jitter: 0}",
    ],
    shows: wait("x", 60_000, "x"),
    as: [90_000, 120_000],
  },
  "backoff.jitter": {
    keys: [
      "failure_threshold: 1, backoff: {jitter: 1}",
      "failure_threshold: 1, backoff: {jitter: 0}",
    ],
    shows: async (breaker) => (await wait("x", 60_000, "x")(breaker)) === 120_000,
    as: [false, true],
  },
  "bulkhead.concurrency_max": {
    keys: ["bulkhead: {concurrency_max: 2}", ""],
    shows: (breaker) => breaker.letThrough(5),
    as: [2, 5],
  },
  ramp: {
    keys: [
      "failure_threshold: 1, success_threshold: 1, ramp: 1h",
      "failure_threshold: 1, success_threshold: 1",
    ],
    shows: async (breaker) => {
      await perform(breaker, ["x", 60_000, "."]);
      return (await breaker.letThrough(100)) < 50;
    },
    as: [true, false],
  },
};

/** Text is calls, a number is milliseconds that pass. */
async function perform(breaker: BreakerBench, steps: readonly (string | number)[]): Promise<void> {
  for (const step of steps)
    await (typeof step === "number" ? breaker.clock.advance(step) : breaker.calls(step));
}

/** The contrasts of the breaker above, or of one operation's. */
function contrasts(operation?: "read" | "write"): Record<string, KeyTest> {
  const scope = operation === undefined ? "" : `operations.${operation}.`;
  const tests = Object.entries(CONTRASTS).map(([key, { keys, shows, as }]) => {
    const check: KeyTest = async () => {
      for (const [at, text] of keys.entries()) {
        using breaker = new BreakerBench(text, operation);
        // The first millisecond of a monotonic clock is no time to begin a call at.
        await breaker.clock.advance(1);
        expect({ text, shows: await shows(breaker) }).toEqual({ text, shows: as[at] });
      }
    };
    return [`${scope}${key}`, check] as const;
  });
  return Object.fromEntries(tests);
}

function timeoutOf(operation: "read" | "write", limit: "readMs" | "writeMs"): KeyTest {
  return async () => {
    const limits = (keys: string): number => {
      const text = `circuit_breaker: {${keys}}`;
      return callLimits(parseConfig(text, { file: "/f.yaml", environment: {} }).config)[limit] ?? 0;
    };
    expect(limits(`timeout: 3, operations: {${operation}: {timeout: 20ms}}`)).toBe(20);
    expect(limits("timeout: 3")).toBe(3_000);
    using breaker = new BreakerBench("timeout: 20ms", operation);
    expect(await breaker.endless()).toBe("CALL_TIMEOUT");
  };
}

keyTests("circuit_breaker", {
  ...contrasts(),
  ...contrasts("read"),
  ...contrasts("write"),
  "operations.read.timeout": timeoutOf("read", "readMs"),
  "operations.write.timeout": timeoutOf("write", "writeMs"),
  enabled: async (bench) => {
    bench.configureDead("circuit_breaker: {enabled: false, failure_threshold: 1}");
    expect(await breakerAfterSearches(bench, 2)).toMatchObject({ state: "closed", enabled: false });
  },
  failure_threshold: async (bench) => {
    bench.configureDead("circuit_breaker: {failure_threshold: 2}");
    expect(await breakerAfterSearches(bench, 2)).toMatchObject({ state: "open" });
  },
  recovery_timeout: async (bench) => {
    bench.configureDead("circuit_breaker: {failure_threshold: 1, recovery_timeout: 1h}");
    const { retryAfterMs } = await breakerAfterSearches(bench, 1);
    expect(retryAfterMs).toBeGreaterThan(3_000_000);
  },
  success_threshold: async (bench) => {
    bench.configureDead("circuit_breaker: {success_threshold: 7}");
    expect(await breakerAfterSearches(bench, 0)).toMatchObject({
      evidence: { successThreshold: 7 },
    });
  },
  timeout: async (bench) => {
    const server = createServer((socket) => socket.on("error", () => undefined));
    const port = await bench.listen(server);
    const config = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}`;
    bench.configure(`${config}\ncircuit_breaker: {timeout: 321ms}`);
    expect((await bench.run("memory", "search", "x")).json.data.reason).toContain("321 ms");
  },
});

async function breakerAfterSearches(
  bench: Bench,
  searches: number,
): Promise<{ retryAfterMs: number; state: string }> {
  for (let n = 0; n < searches; n += 1) await bench.run("memory", "search", "x");
  return (await bench.run("memory", "status")).json.data.memory.breaker.operations.read;
}
