import { type ChildProcess, spawn } from "node:child_process";
import { type Clock, systemClock } from "@holdfast/core";
import { RecoveryError } from "../recovery-error.ts";
import type { OrchestratedExit, OrchestratedState, Orchestrator } from "./orchestrator.ts";

export interface ChildOrchestratorOptions {
  /** The program and its arguments; no shell is asked. */
  command: readonly string[];
  workingDirectory?: string;
  /** Default: this process's own. */
  environment?: Readonly<Record<string, string>>;
  /** Where its output goes. Default `ignore`. */
  output?: "ignore" | "inherit";
  /** In this order, each when the one before has not ended it. Default SIGTERM, then SIGKILL. */
  stopSignals?: readonly NodeJS.Signals[];
  /** How long each signal may take, in milliseconds. Default 5000. */
  stopTimeoutMs?: number;
}

interface Running {
  child: ChildProcess;
  beganAt: number;
  ended: Promise<void>;
  /** It was told to stop: its end is no surprise. */
  stopping: boolean;
}

/** A service that is a child of this process, and ends with `stop`. */
export class ChildOrchestrator implements Orchestrator, AsyncDisposable {
  readonly name: string;
  readonly #options: ChildOrchestratorOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<(exit: OrchestratedExit) => void>();
  #running: Running | undefined;
  #failed = false;

  constructor(options: ChildOrchestratorOptions, deps: { clock?: Clock } = {}) {
    this.#options = options;
    this.#clock = deps.clock ?? systemClock;
    this.name = `child ${options.command.join(" ")}`;
  }

  /** The child's process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  state(): Promise<OrchestratedState> {
    if (this.#running !== undefined) return Promise.resolve("running");
    return Promise.resolve(this.#failed ? "failed" : "stopped");
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running !== undefined) return;
    const [program = "", ...args] = this.#options.command;
    const { workingDirectory, environment, output = "ignore" } = this.#options;
    const child = spawn(program, args, {
      stdio: ["ignore", output, output],
      ...(workingDirectory === undefined ? {} : { cwd: workingDirectory }),
      ...(environment === undefined ? {} : { env: environment }),
    });
    try {
      await new Promise((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
    } catch (error) {
      this.#failed = true;
      throw this.#failure((error as Error).message, error);
    }
    this.#failed = false;
    this.#watch(child);
  }

  async stop(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.stopping = true;
    const { stopSignals = ["SIGTERM", "SIGKILL"], stopTimeoutMs = 5_000 } = this.#options;
    for (const each of stopSignals) {
      running.child.kill(each);
      if (await this.#endsWithin(running, stopTimeoutMs, signal)) return;
    }
    throw this.#failure(`it outlived ${stopSignals.join(", ")}`);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.start(signal);
  }

  onExit(listener: (exit: OrchestratedExit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #watch(child: ChildProcess): void {
    const beganAt = this.#clock.monotonic();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const running: Running = { child, beganAt, ended, stopping: false };
    this.#running = running;
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      this.#running = undefined;
      end();
      if (running.stopping) return;
      this.#failed = true;
      const how = signal ?? `exit code ${code}`;
      const exit = { ranMs: this.#clock.monotonic() - beganAt, how };
      for (const listener of this.#listeners) listener(exit);
    };
    // It may have ended before anybody listened.
    if (child.exitCode !== null || child.signalCode !== null) {
      onExit(child.exitCode, child.signalCode);
    } else child.once("exit", onExit);
  }

  async #endsWithin({ ended }: Running, ms: number, signal: AbortSignal): Promise<boolean> {
    const waiting = new AbortController();
    const waited = this.#clock
      .sleep(ms, AbortSignal.any([signal, waiting.signal]))
      .then(() => false)
      .catch((error: unknown) => {
        if (waiting.signal.aborted) return false;
        throw error;
      });
    try {
      return await Promise.race([ended.then(() => true), waited]);
    } finally {
      waiting.abort();
    }
  }

  #failure(why: string, cause?: unknown): RecoveryError {
    return new RecoveryError(`${this.name} failed: ${why}`, {
      code: "ORCHESTRATOR_FAILED",
      retryable: true,
      hint: "Run the command by hand, as the same user.",
      cause,
    });
  }
}
