export { type BackoffOptions, fullJitterMs } from "./backoff.ts";
export { type ChildEnd, childEnd } from "./child-end.ts";
export { type Clock, systemClock, TIMER_MS_MAX } from "./clock.ts";
export { durationMs, formatDuration } from "./duration.ts";
export { HoldfastError, type HoldfastErrorOptions } from "./holdfast-error.ts";
export { type Random, seededRandom, systemRandom } from "./random.ts";
