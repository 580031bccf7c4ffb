import type { EventData, Labels } from "./series.ts";

/** Kinds of the events that the lifecycle methods write and that queries understand. */
export const EVENT_KINDS = {
  breakerTransition: "breaker.transition",
  recoveryAttempt: "recovery.attempt",
  incidentOpened: "incident.opened",
  incidentClosed: "incident.closed",
  deployment: "deployment",
  backup: "backup",
  slowOperation: "operation.slow",
  setAside: "metrics.set-aside",
} as const;

export interface LifecycleTarget {
  event(kind: string, subject: string, data?: EventData): void;
  count(name: string, by?: number, labels?: Labels): void;
  gauge(name: string, value: number, labels?: Labels): void;
}

/**
 * Each method writes one event, counts it, and sets the gauges that follow from it; the names
 * stand at each method. Like all recording, none of them throws.
 */
export class Lifecycle {
  readonly #target: LifecycleTarget;

  constructor(target: LifecycleTarget) {
    this.#target = target;
  }

  /** Counter `breaker.transitions` {breaker, from, to}; gauge `breaker.state` {breaker, state}. */
  breakerTransition(breaker: string, from: string, to: string, data: EventData = {}): void {
    this.#target.event(EVENT_KINDS.breakerTransition, breaker, { ...data, from, to });
    this.#target.count("breaker.transitions", 1, { breaker, from, to });
    this.#target.gauge("breaker.state", 0, { breaker, state: from });
    this.#target.gauge("breaker.state", 1, { breaker, state: to });
  }

  /** Counter `recovery.attempts` {strategy, outcome}; `success` is the outcome that heals. */
  recoveryAttempt(
    strategy: string,
    outcome: string,
    durationMs: number,
    data: EventData = {},
  ): void {
    this.#target.event(EVENT_KINDS.recoveryAttempt, strategy, { ...data, outcome, durationMs });
    this.#target.count("recovery.attempts", 1, { strategy, outcome });
  }

  /** Counter `incidents`. The service counts as down until the same id is closed. */
  incidentOpened(id: string, data: EventData = {}): void {
    this.#target.event(EVENT_KINDS.incidentOpened, id, data);
    this.#target.count("incidents");
  }

  incidentClosed(id: string, data: EventData = {}): void {
    this.#target.event(EVENT_KINDS.incidentClosed, id, data);
  }

  /** Counter `deployments` {outcome}. */
  deployment(version: string, outcome: string, data: EventData = {}): void {
    this.#target.event(EVENT_KINDS.deployment, version, { ...data, outcome });
    this.#target.count("deployments", 1, { outcome });
  }

  /**
   * Counter `backups` {outcome}; on `success` also gauge `backup.last-success-ms`, the time of
   * the backup `atMs` in milliseconds since the epoch.
   */
  backup(name: string, outcome: string, atMs: number, data: EventData = {}): void {
    this.#target.event(EVENT_KINDS.backup, name, { ...data, outcome });
    this.#target.count("backups", 1, { outcome });
    if (outcome === "success") this.#target.gauge("backup.last-success-ms", atMs);
  }
}
