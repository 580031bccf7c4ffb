import { CallTimeoutError } from "./breaker-error.ts";

export type Work<T> = (signal: AbortSignal) => PromiseLike<T> | T;

/** Limits of one call that differ from its circuit's. */
export interface CallLimits {
  signal: AbortSignal | undefined;
  /** 0 is none. */
  timeoutMs: number;
}

/** One call: its own AbortController, and the promise of its work apart from its caller's. */
export class Call<T> {
  private readonly breaker: string;
  private readonly work: Work<T>;
  private readonly limits: CallLimits | undefined;
  private readonly controller = new AbortController();
  /** The work's own promise, which may outlive the call. */
  running: Promise<T> | undefined;
  /** Set when the time limit ended the call. */
  timeout: CallTimeoutError | undefined;
  /** Whether the caller's signal ended the call. */
  abandoned = false;

  constructor(breaker: string, work: Work<T>, limits?: CallLimits) {
    this.breaker = breaker;
    this.work = work;
    this.limits = limits;
  }

  /** Starts the work; what it throws synchronously becomes a rejection. */
  start(): Promise<T> {
    const signal = this.limits?.signal;
    if (signal?.aborted) {
      // While the breaker asked its store whether the call may run.
      this.abandoned = true;
      return Promise.reject(signal.reason as Error);
    }
    const running = this.#startWork();
    this.running = running;
    return this.limits === undefined ? running : this.#race(running, this.limits);
  }

  /** Ends the call at its time limit and tells the work. */
  expire(timeoutMs: number): CallTimeoutError {
    this.timeout = new CallTimeoutError(this.breaker, timeoutMs);
    this.controller.abort(this.timeout);
    return this.timeout;
  }

  #startWork(): Promise<T> {
    try {
      const started = this.work(this.controller.signal);
      return started instanceof Promise ? started : Promise.resolve(started);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #race(running: Promise<T>, { signal, timeoutMs }: CallLimits): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        end();
        this.abandoned = true;
        reject(signal?.reason as Error);
        this.controller.abort(signal?.reason);
      };
      const timer =
        timeoutMs === 0
          ? undefined
          : setTimeout(() => {
              end();
              reject(this.expire(timeoutMs));
            }, timeoutMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      // The work may have aborted its own caller while it started.
      if (signal?.aborted) onAbort();
      running.finally(end).then(resolve, reject);
    });
  }
}
