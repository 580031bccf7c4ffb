import type { OrchestratedState, Orchestrator } from "./orchestrator.ts";
import { runCommand, runOrder } from "./run-command.ts";

export interface SystemdOrchestratorOptions {
  /** As in `chroma.service`. */
  unit: string;
  /** A unit of the user's own manager. Default false. */
  user?: boolean;
  /** Of each call, in milliseconds. Default 120000: a unit may take its time to stop. */
  timeoutMs?: number;
  /** The program, with arguments that come first. Default `systemctl`. */
  systemctl?: readonly string[];
}

const STATES: Readonly<Record<string, OrchestratedState>> = {
  active: "running",
  reloading: "running",
  activating: "running",
  inactive: "stopped",
  deactivating: "stopped",
  failed: "failed",
};

/** A systemd unit. The right to restart it is the caller's to have. */
export class SystemdOrchestrator implements Orchestrator {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #unit: string;
  readonly #timeoutMs: number;

  constructor({ unit, user = false, timeoutMs, systemctl }: SystemdOrchestratorOptions) {
    this.name = `systemd unit ${unit}`;
    this.#unit = unit;
    this.#command = [...(systemctl ?? ["systemctl"]), ...(user ? ["--user"] : [])];
    this.#timeoutMs = timeoutMs ?? 120_000;
  }

  async state(signal: AbortSignal): Promise<OrchestratedState> {
    const { said } = await runCommand(this.#call("is-active"), this.#limits(signal));
    return STATES[said] ?? "unknown";
  }

  start(signal: AbortSignal): Promise<void> {
    return runOrder(this.#call("start"), this.#limits(signal));
  }

  stop(signal: AbortSignal): Promise<void> {
    return runOrder(this.#call("stop"), this.#limits(signal));
  }

  async restart(signal: AbortSignal): Promise<void> {
    // After too many starts systemd refuses another until the count is reset.
    if ((await this.state(signal)) === "failed") {
      await runOrder(this.#call("reset-failed"), this.#limits(signal));
    }
    await runOrder(this.#call("restart"), this.#limits(signal));
  }

  /** `--` keeps a unit's name from being read as an option. */
  #call(verb: string): string[] {
    return [...this.#command, verb, "--", this.#unit];
  }

  #limits(signal: AbortSignal): { signal: AbortSignal; timeoutMs: number } {
    return { signal, timeoutMs: this.#timeoutMs };
  }
}
