import type { Alert } from "./notifier.ts";

/** What is known of one subject. */
export interface Subject {
  alert: Alert;
  /** Milliseconds since the epoch when it began to fire. */
  since: number;
  firing: boolean;
  /** Times it fired that were not told yet. */
  count: number;
  /** Monotonic milliseconds when it was last told; undefined: never. */
  toldAtMs: number | undefined;
  /** Whether somebody was told that it fires, and not yet that it is over. */
  open: boolean;
}

/** Which subjects fire, when each was last told, and what was held back since. */
export class SubjectLedger {
  /** In the order in which they were last heard of. */
  readonly #subjects = new Map<string, Subject>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  fired(alert: Alert, now: number): Subject {
    const known = this.#subjects.get(alert.subject);
    const subject: Subject = known ?? {
      alert,
      since: now,
      firing: false,
      count: 0,
      toldAtMs: undefined,
      open: false,
    };
    if (!subject.firing) subject.since = now;
    subject.firing = true;
    subject.alert = alert;
    subject.count += 1;
    this.#subjects.delete(alert.subject);
    this.#subjects.set(alert.subject, subject);
    this.#forgetQuiet();
    return subject;
  }

  /** The subject, if its end is worth telling. */
  resolved(name: string, ending: Partial<Omit<Alert, "subject">>): Subject | undefined {
    const subject = this.#subjects.get(name);
    if (subject === undefined || !subject.firing) return undefined;
    subject.firing = false;
    // It came and went within the cooldown: that counts towards its next notice.
    if (!subject.open) return undefined;
    const { data: _, message: __, ...alert } = subject.alert;
    subject.alert = { ...alert, ...ending };
    subject.count = Math.max(1, subject.count);
    return subject;
  }

  /** Notes that it is told now; a firing one opens what a resolved one closes. */
  told(subject: Subject, atMs: number): void {
    subject.open = subject.firing;
    subject.toldAtMs = atMs;
    subject.count = 0;
  }

  /** Those that fire and of which something was held back. */
  held(): Subject[] {
    return [...this.#subjects.values()].filter(({ firing, count }) => firing && count > 0);
  }

  #forgetQuiet(): void {
    if (this.#subjects.size <= this.#max) return;
    const quiet = [...this.#subjects].find(([, { firing }]) => !firing) ?? [...this.#subjects][0];
    if (quiet !== undefined) this.#subjects.delete(quiet[0]);
  }
}
