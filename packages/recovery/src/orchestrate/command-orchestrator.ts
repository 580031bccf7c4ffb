import { RecoveryError } from "../recovery-error.ts";
import type { OrchestratedState, Orchestrator } from "./orchestrator.ts";
import { runCommand, runOrder } from "./run-command.ts";

/** Programs with their arguments; no shell is asked. */
export interface CommandOrchestratorOptions {
  restart: readonly string[];
  /** Default: `restart`. */
  start?: readonly string[];
  /** Without it the service cannot be stopped. */
  stop?: readonly string[];
  /** Exit code 0 says that it runs, any other that it does not. Without it, that is unknown. */
  state?: readonly string[];
  /** Of each of them, in milliseconds. Default 60000. */
  timeoutMs?: number;
}

/** A service that commands start and stop: an init script, `docker restart`, an `ssh` elsewhere. */
export class CommandOrchestrator implements Orchestrator {
  readonly name: string;
  readonly #options: CommandOrchestratorOptions;

  constructor(options: CommandOrchestratorOptions) {
    this.#options = options;
    this.name = `command ${options.restart.join(" ")}`;
  }

  async state(signal: AbortSignal): Promise<OrchestratedState> {
    const { state } = this.#options;
    if (state === undefined) return "unknown";
    const { code } = await runCommand(state, this.#limits(signal));
    return code === 0 ? "running" : "stopped";
  }

  start(signal: AbortSignal): Promise<void> {
    return runOrder(this.#options.start ?? this.#options.restart, this.#limits(signal));
  }

  async stop(signal: AbortSignal): Promise<void> {
    if (this.#options.stop !== undefined) {
      return runOrder(this.#options.stop, this.#limits(signal));
    }
    throw new RecoveryError(`${this.name}: no command is known that stops it`, {
      code: "ORCHESTRATOR_FAILED",
      hint: "State one, or stop it by hand.",
    });
  }

  restart(signal: AbortSignal): Promise<void> {
    return runOrder(this.#options.restart, this.#limits(signal));
  }

  #limits(signal: AbortSignal): { signal: AbortSignal; timeoutMs: number } {
    return { signal, timeoutMs: this.#options.timeoutMs ?? 60_000 };
  }
}
