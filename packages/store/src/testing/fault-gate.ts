import { type Clock, systemClock } from "@holdfast/core";
import { StoreError } from "../store-error.ts";
import type { CallOptions } from "../vector-store.ts";

export type StoreOperation =
  | "ping"
  | "listCollections"
  | "openCollection"
  | "createCollection"
  | "renameCollection"
  | "deleteCollection"
  | "upsert"
  | "get"
  | "query"
  | "delete"
  | "count"
  | "scan";

const WRITES: ReadonlySet<StoreOperation> = new Set([
  "createCollection",
  "renameCollection",
  "deleteCollection",
  "upsert",
  "delete",
]);

export interface FaultPoint {
  operation: StoreOperation;
  /** Before the database has done anything, or after it has done all and before it answers. */
  moment: "before" | "after";
  /** The collection's present name; undefined for calls about no collection. */
  collection: string | undefined;
  /** The ids that the call names; empty for calls that name none. */
  ids: readonly string[];
}

/**
 * Called twice for each call. Throw a `StoreError` to fail the call with it; anything else thrown
 * becomes `STORE_UNAVAILABLE`, with an unknown outcome if the call writes. Return a promise to delay
 * the call: its signal and time limit end the waiting, and when the promise resolves after that,
 * the write is applied late, as a real database would.
 */
export type FaultHook = (point: FaultPoint) => void | Promise<void>;

/** Runs calls as a database far away would: they can fail, hang, and land after nobody waits. */
export class FaultGate {
  faults: FaultHook | undefined;
  readonly #clock: Clock;
  readonly #closed = new AbortController();

  constructor(faults: FaultHook | undefined, clock: Clock = systemClock) {
    this.faults = faults;
    this.#clock = clock;
  }

  close(): void {
    this.#closed.abort();
  }

  async run<T>(
    target: { operation: StoreOperation; collection?: string; ids?: readonly string[] },
    options: CallOptions | undefined,
    apply: () => T,
  ): Promise<T> {
    const refuseUnsent = endedBy(options?.signal, this.#closed.signal, false);
    if (refuseUnsent !== undefined) throw refuseUnsent;
    const write = WRITES.has(target.operation);
    const point = {
      operation: target.operation,
      collection: target.collection,
      ids: target.ids ?? [],
    };
    const work = async (): Promise<T> => {
      await this.faults?.({ ...point, moment: "before" });
      const result = apply();
      await this.faults?.({ ...point, moment: "after" });
      return result;
    };
    const settled = new AbortController();
    try {
      return await Promise.race([work(), this.#end(options, write, settled.signal)]);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError("The database failed", {
        code: "STORE_UNAVAILABLE",
        outcomeUnknown: write,
        cause: error,
      });
    } finally {
      settled.abort();
    }
  }

  /** Rejects when the call must not go on waiting; otherwise never settles. */
  #end(options: CallOptions | undefined, write: boolean, settled: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const end = (): void => {
        reject(endedBy(options?.signal, this.#closed.signal, write));
      };
      options?.signal?.addEventListener("abort", end, { signal: settled });
      this.#closed.signal.addEventListener("abort", end, { signal: settled });
      if (options?.timeoutMs === undefined) return;
      void this.#expire(options.timeoutMs, write, settled).catch(reject);
    });
  }

  /** Rejects when the time is up; earlier, when nobody waits any more. */
  async #expire(timeoutMs: number, write: boolean, settled: AbortSignal): Promise<never> {
    await this.#clock.sleep(timeoutMs, settled);
    throw new StoreError(`No answer within ${timeoutMs} ms`, {
      code: "STORE_TIMEOUT",
      outcomeUnknown: write,
    });
  }
}

function endedBy(
  signal: AbortSignal | undefined,
  closed: AbortSignal,
  outcomeUnknown: boolean,
): StoreError | undefined {
  if (signal?.aborted) {
    return new StoreError("The call was aborted", {
      code: "STORE_ABORTED",
      outcomeUnknown,
      cause: signal.reason,
    });
  }
  if (closed.aborted) {
    return new StoreError("The store is closed", { code: "STORE_ABORTED", outcomeUnknown });
  }
  return undefined;
}
