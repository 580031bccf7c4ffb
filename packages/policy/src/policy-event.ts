/** Whose event it is. Absent keys are not part of the scope. */
export interface PolicyScope {
  readonly user?: string;
  readonly agent?: string;
  readonly session?: string;
  readonly task?: string;
  readonly workflow?: string;
  readonly project?: string;
}

/** Something that happened, or is about to, on which rules decide. Plain data, as JSON holds it. */
export interface PolicyEvent {
  /** Unique: counters count an id once, and `probability` is drawn by it. */
  readonly id: string;
  /** `memory.add`, `memory.search`, `memory.update`, `memory.forget`, or a trigger's `command`, `error` … */
  readonly type: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly scope: PolicyScope;
  readonly text?: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** What raised it: a command, a tool, a hook. */
  readonly source?: string;
  readonly priority?: string | number;
  readonly context?: Readonly<Record<string, unknown>>;
}
