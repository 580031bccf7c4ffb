// What one call through a closed breaker costs, against raw await, opossum alone and cockatiel, in
// one run: rounds are interleaved, so that a busy machine slows all alike.
import { rmSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker, SqliteBreakerStateStore } from "@holdfast/breaker";
import * as cockatiel from "cockatiel";
import { report, type Result } from "./results.ts";
import { median } from "./statistics.ts";

const CALLS = 50_000;
const ROUNDS = 15;
const HEAP_CALLS = 1_000_000;
const TIMEOUT_MS = 30_000;

type Call = () => Promise<unknown>;
const noop = async (): Promise<number> => 1;

const Opossum = createRequire(import.meta.url)("opossum") as new (
  action: Call,
  options: Record<string, unknown>,
) => { fire: Call; shutdown: () => void };
// Opossum as its documentation has it, and as lean as its options allow.
const opossum = new Opossum(noop, { timeout: TIMEOUT_MS });
const lean = new Opossum(noop, {
  timeout: TIMEOUT_MS,
  volumeThreshold: Number.MAX_SAFE_INTEGER,
  enableSnapshots: false,
  rollingPercentilesEnabled: false,
});

const consecutive = cockatiel.circuitBreaker(cockatiel.handleAll, {
  halfOpenAfter: 60_000,
  breaker: new cockatiel.ConsecutiveBreaker(5),
});
const withTimeout = cockatiel.wrap(
  consecutive,
  cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Cooperative),
);

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const store = new SqliteBreakerStateStore(join(folder, "breaker.db"));
const breaker = new CircuitBreaker({ name: "bench", timeoutMs: TIMEOUT_MS });
const shared = new CircuitBreaker({ name: "bench", timeoutMs: TIMEOUT_MS }, { store });
const windowed = new CircuitBreaker({
  name: "bench",
  timeoutMs: TIMEOUT_MS,
  trip: { kind: "time", windowMs: 10_000, failureRate: 0.5 },
  slowCalls: { slowerThanMs: 1_000, rate: 0.5 },
});
const open = new CircuitBreaker({ name: "bench" });
await open.forceOpen("benchmark");

const cases: Record<string, Call> = {
  "raw await": noop,
  opossum: () => opossum.fire(),
  "opossum, lean": () => lean.fire(),
  holdfast: () => breaker.execute(noop),
  "holdfast, shared by SQLite": () => shared.execute(noop),
  "holdfast, failure rate and slow calls": () => windowed.execute(noop),
  "cockatiel, consecutive": () => consecutive.execute(noop),
  "cockatiel, consecutive with timeout": () => withTimeout.execute(noop),
  "holdfast, refusing": () => open.execute(noop).catch(noop),
};

async function nanosecondsPerCall(call: Call, calls: number): Promise<number> {
  const from = performance.now();
  for (let done = 0; done < calls; done++) await call();
  return ((performance.now() - from) * 1e6) / calls;
}

const samples = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, call] of Object.entries(cases)) {
    const took = await nanosecondsPerCall(call, CALLS);
    if (round >= 0) samples.get(name)?.push(took);
  }
}
const nanoseconds = (name: string): number => median(samples.get(name) ?? []);
/** Within a round: what the machine did meanwhile cancels out. */
function ratio(of: string, to: string): Pick<Result, "value" | "unit" | "detail"> {
  const [above = [], below = []] = [samples.get(of), samples.get(to)];
  const value = median(above.map((ns, round) => ns / (below[round] ?? 1)));
  const detail = `${Math.round(nanoseconds(of))} / ${Math.round(nanoseconds(to))} ns`;
  return { value, unit: "×", detail };
}

const collect = globalThis.gc ?? (() => undefined);
async function heapGrowth(call: Call): Promise<number> {
  await nanosecondsPerCall(call, CALLS);
  collect();
  const before = process.memoryUsage().heapUsed;
  await nanosecondsPerCall(call, HEAP_CALLS);
  collect();
  return process.memoryUsage().heapUsed - before;
}

async function heapResult(name: string): Promise<Result> {
  const grown = await heapGrowth(cases[name] ?? noop);
  return { subject: `heap after a million calls: ${name}`, value: grown / 2 ** 20, unit: "MiB" };
}

report([
  {
    subject: "a closed breaker / opossum with the same time limit",
    ...ratio("holdfast", "opossum"),
    goal: { atMost: 1.2 },
  },
  { subject: "the same / opossum without its statistics", ...ratio("holdfast", "opossum, lean") },
  {
    subject: "cockatiel with a time limit / a closed breaker",
    ...ratio("cockatiel, consecutive with timeout", "holdfast"),
    goal: { atLeast: 4 },
  },
  {
    subject: "a closed breaker that SQLite shares",
    value: nanoseconds("holdfast, shared by SQLite") / 1_000,
    unit: "µs",
    goal: { atMost: 2 },
    detail: `await alone ${Math.round(nanoseconds("raw await"))} ns`,
  },
  {
    subject: "a closed breaker with failure rate and slow calls",
    value: nanoseconds("holdfast, failure rate and slow calls") / 1_000,
    unit: "µs",
  },
  {
    subject: "refused by an open breaker",
    value: nanoseconds("holdfast, refusing") / 1_000,
    unit: "µs",
  },
  await heapResult("holdfast"),
  await heapResult("holdfast, shared by SQLite"),
  await heapResult("holdfast, failure rate and slow calls"),
]);

for (const each of [breaker, shared, windowed, open]) each.close();
for (const each of [opossum, lean]) each.shutdown();
store.close();
rmSync(folder, { recursive: true });
