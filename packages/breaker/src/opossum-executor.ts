import { createRequire } from "node:module";
import { TIMER_MS_MAX } from "@holdfast/core";
import type { Call } from "./call.ts";

/** What this package uses of opossum 10, typed here because `@types/opossum` is behind. */
interface Opossum {
  /** `fire` with a receiver, and without its copy of the arguments. */
  call(receiver: undefined, call: Call<unknown>): Promise<unknown>;
  on(
    event: "timeout",
    listener: (error: Error, latencyMs: number, args: [Call<unknown>]) => void,
  ): this;
  removeAllListeners(): this;
  shutdown(): void;
}

type OpossumConstructor = new (
  action: (call: Call<unknown>) => Promise<unknown>,
  options: OpossumOptions,
) => Opossum;

interface OpossumOptions {
  name: string;
  timeout: number | false;
  volumeThreshold: number;
  enableSnapshots: boolean;
  rollingPercentilesEnabled: boolean;
  rollingCountTimeout: number;
  rollingCountBuckets: number;
}

const require = createRequire(import.meta.url);

/**
 * Runs calls on opossum, which gives each its time limit and nothing else: the state machine is
 * ours. Opossum's own counters and triggers are taken off, so it can never open by itself.
 * Loaded at the first call: importing this package stays cheap.
 */
export class OpossumExecutor {
  readonly #name: string;
  readonly #timeoutMs: number;
  #timed: Opossum | undefined;
  #untimed: Opossum | undefined;

  constructor(name: string, timeoutMs: number) {
    this.#name = name;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs a call under the configured time limit. */
  run<T>(call: Call<T>): Promise<T> {
    this.#timed ??= createOpossum(this.#name, this.#timeoutMs);
    return this.#timed.call(undefined, call) as Promise<T>;
  }

  /** Runs a call that watches its own time limit and its caller's signal. */
  runUntimed<T>(call: Call<T>): Promise<T> {
    this.#untimed ??= createOpossum(this.#name, 0);
    return this.#untimed.call(undefined, call) as Promise<T>;
  }

  /** Frees opossum's timers. Calls still running would lose their time limit: wait for them. */
  close(): void {
    this.#timed?.shutdown();
    this.#untimed?.shutdown();
    this.#timed = this.#untimed = undefined;
  }
}

function createOpossum(name: string, timeoutMs: number): Opossum {
  const Constructor = require("opossum") as OpossumConstructor;
  // A fresh object each time: opossum writes into its options.
  const opossum = new Constructor((call) => call.start(), {
    name,
    timeout: timeoutMs === 0 ? false : timeoutMs,
    volumeThreshold: Number.MAX_SAFE_INTEGER,
    enableSnapshots: false,
    rollingPercentilesEnabled: false,
    // One bucket as long as a timer can be: its rotation never wakes the process in practice.
    rollingCountTimeout: TIMER_MS_MAX,
    rollingCountBuckets: 1,
  });
  opossum.removeAllListeners();
  if (timeoutMs > 0) {
    opossum.on("timeout", (_error, _latencyMs, [call]) => call.expire(timeoutMs));
  }
  return opossum;
}
