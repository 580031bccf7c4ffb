import type { BreakerOptions, CircuitOptions } from "@holdfast/breaker";
import type { Config } from "@holdfast/config";
import { durationMs, HoldfastError } from "@holdfast/core";
import type { MemoryOptions } from "@holdfast/memory";

type OperationConfig = NonNullable<NonNullable<Config["circuit_breaker"]["operations"]>["read"]>;

/** Recall gives up before anybody stops waiting for it. */
const READ_MS_MAX = 10_000;

/** The breaker of the store. Only what it may get over by itself says something about its health. */
export function breakerOptions(config: Config): BreakerOptions {
  const breaker = config.circuit_breaker;
  const { read = {}, write = {} } = breaker.operations ?? {};
  return {
    name: "store",
    enabled: breaker.enabled,
    ...circuitOptions(breaker),
    // Searches go on while only writes fail, and the other way round.
    operations: { read: circuitOptions(read), write: circuitOptions(write) },
    classify: (error) =>
      error instanceof HoldfastError && !error.retryable ? "ignored" : "failure",
  };
}

/** How long one call to the store may take. */
export function callLimits(config: Config): NonNullable<MemoryOptions["limits"]> {
  const { timeout, operations } = config.circuit_breaker;
  const read = operations?.read?.timeout;
  return {
    readMs: read === undefined ? Math.min(READ_MS_MAX, durationMs(timeout)) : durationMs(read),
    writeMs: durationMs(operations?.write?.timeout ?? timeout),
  };
}

/** What is not stated is left out: an operation takes it from the breaker above. */
function circuitOptions(circuit: OperationConfig): CircuitOptions {
  const { trip, slow_calls: slow, backoff, bulkhead } = circuit;
  return given({
    failureThreshold: circuit.failure_threshold,
    recoveryTimeoutMs: milliseconds(circuit.recovery_timeout),
    successThreshold: circuit.success_threshold,
    timeoutMs: milliseconds(circuit.timeout),
    trip: trip && tripRule(trip),
    slowCalls: slow && {
      slowerThanMs: durationMs(slow.slower_than),
      rate: slow.rate,
      windowMs: durationMs(slow.window),
      minimumCalls: slow.minimum_calls,
    },
    halfOpenProbesMax: circuit.half_open_probes_max,
    backoff: backoff && {
      multiplier: backoff.multiplier,
      maxMs: durationMs(backoff.max),
      jitter: backoff.jitter,
    },
    bulkhead: bulkhead && { concurrencyMax: bulkhead.concurrency_max },
    rampMs: milliseconds(circuit.ramp),
  });
}

function tripRule(trip: NonNullable<OperationConfig["trip"]>): NonNullable<CircuitOptions["trip"]> {
  const { failure_rate: failureRate, minimum_calls: minimumCalls } = trip;
  const share = { failureRate, ...given({ minimumCalls }) };
  // That each kind comes with its measure, the configuration's rules have seen to.
  if (trip.kind === "count") return { kind: "count", calls: trip.calls ?? 0, ...share };
  return { kind: "time", windowMs: durationMs(trip.window ?? 0), ...share };
}

const milliseconds = (duration: number | string | undefined): number | undefined =>
  duration === undefined ? undefined : durationMs(duration);

/** Without the keys that have no value. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
