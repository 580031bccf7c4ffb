import { SqliteError } from "@holdfast/sqlite";
import { evaluate } from "../evaluate/evaluate.ts";
import type { Ruleset } from "../evaluate/ruleset.ts";
import type { Evaluation } from "../evaluation.ts";
import type { PolicyEvent } from "../policy-event.ts";
import { SqliteCounters } from "./sqlite-counters.ts";

export interface DeciderOptions {
  /** The file in which limits are counted; opened when the first rule with a limit is asked. */
  countersFile: string;
  /** IANA name; for `time_range` conditions that name none. Default UTC. */
  timezone?: string;
  /** Draws `probability`. Default empty. */
  seed?: string;
}

/** The defaults of {@link DeciderOptions}. */
export const DECIDER_DEFAULTS: { timezone: string; seed: string } = { timezone: "UTC", seed: "" };

/**
 * Decides on events, and counts what the decision uses of limits, in one step across processes.
 * When nothing can be counted, limits allow, and the trace says so.
 */
export class Decider implements Disposable {
  readonly ruleset: Ruleset;
  readonly #options: Required<DeciderOptions>;
  #counters: SqliteCounters | undefined;
  #fault: SqliteError | undefined;

  constructor(ruleset: Ruleset, options: DeciderOptions) {
    this.ruleset = ruleset;
    this.#options = { ...DECIDER_DEFAULTS, ...options };
  }

  /** Why the last decision could not count; undefined when it could, or had nothing to. */
  get fault(): SqliteError | undefined {
    return this.#fault;
  }

  /** `now`: wall-clock milliseconds; default the event's own time. */
  decide(event: PolicyEvent, now: number = event.at): Evaluation {
    const { timezone, seed } = this.#options;
    const under = (counters: SqliteCounters | undefined): Evaluation =>
      evaluate(this.ruleset, event, { now, timezone, seed, counters });
    this.#fault = undefined;
    if (!this.ruleset.counts) return under(undefined);
    try {
      const counters = this.#open();
      // Most events use no limit, and need not wait for other processes.
      const free = under(counters);
      return free.claims.length === 0 ? free : counters.exclusively(() => under(counters));
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      this.#fault = error;
      return under(undefined);
    }
  }

  close(): void {
    this.#counters?.close();
    this.#counters = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): SqliteCounters {
    this.#counters ??= SqliteCounters.open(this.#options.countersFile);
    return this.#counters;
  }
}
