/** What an orchestrator knows of the service's process; `unknown` when it cannot tell. */
export type OrchestratedState = "running" | "stopped" | "failed" | "unknown";

/**
 * Whoever can start and stop a service: a parent process, systemd, a command, a Kubernetes rollout.
 * Each method is idempotent, obeys its signal, and resolves when the order is carried out, which
 * does not mean that the service answers: prove that by a check.
 * @throws RecoveryError `ORCHESTRATOR_FAILED` from every method; the signal's reason.
 */
export interface Orchestrator {
  /** `systemd unit chroma.service`: for plans and messages. */
  readonly name: string;
  state(signal: AbortSignal): Promise<OrchestratedState>;
  start(signal: AbortSignal): Promise<void>;
  stop(signal: AbortSignal): Promise<void>;
  restart(signal: AbortSignal): Promise<void>;
  /**
   * Calls `listener` at once when the service ends unasked, where that can be known. Returns the way
   * to undo.
   */
  onExit?(listener: (exit: OrchestratedExit) => void): () => void;
}

export interface OrchestratedExit {
  /** How long it had run, in milliseconds. */
  ranMs: number;
  /** `SIGSEGV`, `exit code 1`. */
  how: string;
}
