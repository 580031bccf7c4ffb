import { HoldfastError } from "@holdfast/core";
import type { Finding } from "@holdfast/document";

/**
 * - `POLICY_INVALID`: rules that cannot be in force; `findings` lists why, where they are from a file
 * - `POLICY_ABORTED`: a rule's `abort` stopped what was asked; nothing was done
 * - `POLICY_ACTION_FAILED`: an action could not be carried out
 * - `POLICY_ACTION_TIMEOUT`: it took longer than its `timeout`
 * - `POLICY_EVENT_INVALID`: what should be an event is none
 * - `POLICY_UNREADABLE`: the directory of policies, or a file in it, cannot be read
 */
export type PolicyErrorCode =
  | "POLICY_INVALID"
  | "POLICY_ABORTED"
  | "POLICY_ACTION_FAILED"
  | "POLICY_ACTION_TIMEOUT"
  | "POLICY_EVENT_INVALID"
  | "POLICY_UNREADABLE";

export class PolicyError extends HoldfastError {
  override name = "PolicyError";
  declare readonly code: PolicyErrorCode;
  readonly findings: readonly Finding[];

  constructor(
    message: string,
    options: {
      code: PolicyErrorCode;
      hint: string;
      retryable?: boolean;
      findings?: readonly Finding[];
      cause?: unknown;
    },
  ) {
    super(message, options);
    this.findings = options.findings ?? [];
  }
}
