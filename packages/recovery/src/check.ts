/** Anything that JSON can hold: what is journaled must survive the process. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** `unknown`: the check could not tell, or its evidence is too old. It is never read as `pass`. */
export type CheckStatus = "pass" | "warn" | "fail" | "unknown";

/** What one look found. */
export interface CheckOutcome {
  status: CheckStatus;
  /** One line for a person: what was found. */
  message: string;
  /** What was seen, for a machine and for the incident. */
  evidence?: { readonly [key: string]: Json };
  /** The command to run next, when a person has to. */
  hint?: string;
}

export interface CheckContext {
  /** Aborted at the check's own time limit, or by the caller. */
  signal: AbortSignal;
}

/** Looks at one thing. It changes nothing, and a throw counts as `fail`. */
export interface HealthCheck {
  /** Kebab-case, unique: `torn-index`. */
  readonly name: string;
  /** The service that it belongs to on a dashboard. Default: its own name. */
  readonly service?: string;
  /**
   * What its failure makes of the service: `offline`, nothing answers; `unhealthy`, it does not do
   * its work; `degraded`, it does some of it;
   * `none`, nothing: it is only told. Default `unhealthy`.
   */
  readonly severity?: "offline" | "unhealthy" | "degraded" | "none";
  /** Default 5000. */
  readonly timeoutMs?: number;
  run(context: CheckContext): Promise<CheckOutcome> | CheckOutcome;
}
