import { CLOCK_SKEW_MS } from "./transition.ts";

/** Parts of the calls let through, in equal steps of the ramp's duration. */
const STEPS = [0.1, 0.25, 0.5];

/** Lets a rising part of calls through after a recovery, evenly rather than at random. */
export class Ramp {
  readonly #durationMs: number;
  // The first call of a ramp is let through.
  #credit = 1;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  restart(): void {
    this.#credit = 1;
  }

  /** Milliseconds to the next step when this call must wait, 0 when it may run. */
  waitMs(elapsedMs: number): number {
    const stepMs = this.#durationMs / STEPS.length;
    // A clock that was set back would stretch it; a little behind is its start.
    if (elapsedMs < -CLOCK_SKEW_MS) return 0;
    const step = Math.floor(Math.max(0, elapsedMs) / stepMs);
    const part = STEPS[step];
    if (part === undefined) return 0;
    // A hair under 1, so that ten tenths make a whole.
    if (this.#credit < 1 - 1e-9) {
      this.#credit += part;
      if (this.#credit < 1 - 1e-9) return Math.max(1, (step + 1) * stepMs - elapsedMs);
    }
    this.#credit -= 1;
    return 0;
  }
}
