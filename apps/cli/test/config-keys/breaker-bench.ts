import { CircuitBreaker } from "@holdfast/breaker";
import { parseConfig } from "@holdfast/config";
import { seededRandom } from "@holdfast/core";
import { FakeClock } from "@holdfast/core/testing";
import { breakerOptions } from "../../src/breaker-options.ts";

/** The breaker that a configuration makes, under a clock and with calls that the test decides on. */
export class BreakerBench implements Disposable {
  readonly clock: FakeClock = new FakeClock();
  readonly #breaker: CircuitBreaker;
  readonly #operation: string | undefined;

  /** `keys` stand in `circuit_breaker`, or in the part of it for one operation. */
  constructor(keys: string, operation: string | undefined) {
    const own = operation === undefined ? keys : `operations: {${operation}: {${keys}}}`;
    const text = `circuit_breaker: {${own}}`;
    const { config } = parseConfig(text, { file: "/holdfast.yaml", environment: {} });
    const deps = { clock: this.clock, random: seededRandom(7) };
    this.#breaker = new CircuitBreaker(breakerOptions(config), deps);
    this.#operation = operation;
  }

  get state(): string {
    return this.#breaker.explain(this.#operation).state;
  }

  get retryAfterMs(): number | null {
    return this.#breaker.explain(this.#operation).retryAfterMs;
  }

  /** Makes calls, one after the other: `x` fails, `.` succeeds, `s` succeeds after 200 ms. */
  async calls(outcomes: string): Promise<void> {
    for (const outcome of outcomes)
      await this.#call(async () => {
        if (outcome === "x") throw new Error("refused");
        if (outcome === "s") await this.clock.advance(200);
      }).catch(() => undefined);
  }

  /** How many of so many calls at once are let through; they all end before this returns. */
  async letThrough(calls: number): Promise<number> {
    let running = 0;
    const { promise: end, resolve: letEnd } = Promise.withResolvers<void>();
    const all = Array.from({ length: calls }, () =>
      this.#call(() => {
        running += 1;
        return end;
      }).catch(() => undefined),
    );
    // What a call awaits before its work begins is over in a few turns.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    letEnd();
    await Promise.all(all);
    return running;
  }

  /** The code of the error that ends a call that nothing else ends. */
  async endless(): Promise<string> {
    return this.#call(() => new Promise<never>(() => undefined)).catch(
      (error: { code: string }) => error.code,
    );
  }

  #call<T>(work: () => Promise<T>): Promise<T> {
    const options = this.#operation === undefined ? {} : { operation: this.#operation };
    return this.#breaker.execute(work, options);
  }

  [Symbol.dispose](): void {
    this.#breaker.close();
  }
}
