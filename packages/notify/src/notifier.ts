import { randomUUID } from "node:crypto";
import { type Clock, type Random, systemClock, systemRandom } from "@holdfast/core";
import type { Channel } from "./channel.ts";
import { type ChannelStatus, type Delivery, DeliveryQueue } from "./delivery-queue.ts";
import type { Notification, Severity } from "./notification.ts";
import { type Subject, SubjectLedger } from "./subject-ledger.ts";

export interface NotifierOptions {
  /** A subject is told at most once in this time; repeats are counted. Default 300000. */
  cooldownMs?: number;
  /** Attempts at one delivery, the first included. Default 3. */
  attemptsMax?: number;
  /** Subjects remembered; the ones longest quiet are forgotten first. Default 1000. */
  subjectsMax?: number;
  /** Notices that may wait for one slow channel; what is more is refused, and counted. Default 100. */
  queuedMax?: number;
}

export const NOTIFIER_DEFAULTS = {
  cooldownMs: 300_000,
  attemptsMax: 3,
  subjectsMax: 1_000,
  queuedMax: 100,
} as const;

export interface NotifierDeps {
  channels: readonly Channel[];
  clock?: Clock;
  random?: Random;
  /** Told of each delivery that was given up; a throw becomes a `NotifierListenerWarning`. */
  onUndelivered?: (delivery: Delivery) => void;
}

/** Something that somebody may want to know. */
export interface Alert {
  /** What it is about; repeats of one subject are grouped. As in `chroma/unreachable`. */
  subject: string;
  severity: Severity;
  /** One line. */
  title: string;
  message?: string;
  data?: Readonly<Record<string, unknown>>;
}

export type Told =
  /** Given to the channels, and how each of them fared. */
  | { outcome: "told"; notification: Notification; deliveries: readonly Delivery[] }
  /** Within the cooldown: it is counted, and told with the next notice of its subject. */
  | { outcome: "held"; count: number }
  /** A subject was resolved that had not been told. */
  | { outcome: "nothing-to-tell" };

/**
 * Tells alerts through channels: each subject once in a while, with a count of what was left out,
 * and once more when it is over. A channel that fails is reported and hinders nobody. There is no
 * timer: what was held back is told by the first call after the cooldown, or by `flush`.
 */
export class Notifier {
  readonly #clock: Clock;
  readonly #cooldownMs: number;
  readonly #ledger: SubjectLedger;
  readonly #queues: readonly DeliveryQueue[];

  constructor(options: NotifierOptions, deps: NotifierDeps) {
    const all = { ...NOTIFIER_DEFAULTS, ...options };
    this.#clock = deps.clock ?? systemClock;
    this.#cooldownMs = all.cooldownMs;
    this.#ledger = new SubjectLedger(all.subjectsMax);
    this.#queues = deps.channels.map(
      (channel) =>
        new DeliveryQueue(channel, all, {
          clock: this.#clock,
          random: deps.random ?? systemRandom,
          onUndelivered: deps.onUndelivered,
        }),
    );
  }

  /** Tells it, or counts it. Never rejects for a channel's sake; no need to await it. */
  notify(alert: Alert): Promise<Told> {
    const subject = this.#ledger.fired(alert, this.#clock.now());
    const isDue = this.#isDue(subject);
    const answer: Promise<Told> = isDue
      ? this.#tell(subject, "firing")
      : Promise.resolve({ outcome: "held", count: subject.count });
    this.#tellDue();
    return answer;
  }

  /** Tells that a subject is over, if anybody was told that it began. Never held back. */
  resolve(subject: string, ending: Partial<Omit<Alert, "subject">> = {}): Promise<Told> {
    const known = this.#ledger.resolved(subject, ending);
    this.#tellDue();
    if (known === undefined) return Promise.resolve({ outcome: "nothing-to-tell" });
    return this.#tell(known, "resolved");
  }

  /** Tells at once what was held back, and waits until every channel is done with everything. */
  async flush(): Promise<void> {
    for (const subject of this.#ledger.held()) void this.#tell(subject, "firing");
    await Promise.all(this.#queues.map((queue) => queue.idle()));
  }

  /** How each channel fares. */
  status(): ChannelStatus[] {
    return this.#queues.map((queue) => queue.status());
  }

  #tellDue(): void {
    for (const subject of this.#ledger.held())
      if (this.#isDue(subject)) void this.#tell(subject, "firing");
  }

  #isDue({ toldAtMs }: Subject): boolean {
    return toldAtMs === undefined || this.#clock.monotonic() - toldAtMs >= this.#cooldownMs;
  }

  async #tell(subject: Subject, state: Notification["state"]): Promise<Told> {
    const notification: Notification = {
      id: randomUUID(),
      at: this.#clock.now(),
      state,
      count: subject.count,
      since: subject.since,
      ...subject.alert,
    };
    this.#ledger.told(subject, this.#clock.monotonic());
    const deliveries = await Promise.all(this.#queues.map((queue) => queue.deliver(notification)));
    return { outcome: "told", notification, deliveries };
  }
}
