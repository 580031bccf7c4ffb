import type { CircuitBreaker, ExecuteOptions } from "@holdfast/breaker";

export const DOWN: Error & { code?: string } = Object.assign(new Error("connect refused"), {
  code: "ECONNREFUSED",
});

export async function succeed(breaker: CircuitBreaker, options?: ExecuteOptions): Promise<string> {
  return breaker.execute(async () => "ok", options);
}

/** Runs a call that fails; resolves to what the breaker threw. */
export async function fail(breaker: CircuitBreaker, options?: ExecuteOptions): Promise<unknown> {
  return thrownBy(breaker.execute(() => Promise.reject(DOWN), options));
}

export async function failTimes(
  breaker: CircuitBreaker,
  times: number,
  options?: ExecuteOptions,
): Promise<void> {
  for (let done = 0; done < times; done++) await fail(breaker, options);
}

export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the call was expected to fail");
}

/** Work that ends when told. */
export interface Held<T> {
  work: (signal: AbortSignal) => Promise<T>;
  /** Resolves with the work's signal once it runs. */
  started: Promise<AbortSignal>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

export function held<T = string>(): Held<T> {
  const ended = Promise.withResolvers<T>();
  const started = Promise.withResolvers<AbortSignal>();
  return {
    work: (signal) => {
      started.resolve(signal);
      return ended.promise;
    },
    started: started.promise,
    resolve: ended.resolve,
    reject: ended.reject,
  };
}

/** Lets everything that is ready run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
