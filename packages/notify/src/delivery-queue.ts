import { type Clock, fullJitterMs, HoldfastError, type Random } from "@holdfast/core";
import type { Channel } from "./channel.ts";
import type { Notification } from "./notification.ts";

/** How one channel fared with one notification. */
export interface Delivery {
  channel: string;
  delivered: boolean;
  /** 0: its queue was full, and it was not tried. */
  attempts: number;
  /** Why it was given up. */
  error?: unknown;
}

export interface ChannelStatus {
  channel: string;
  delivered: number;
  undelivered: number;
  /** Wall-clock milliseconds of the last delivery. */
  lastDeliveredAt: number | undefined;
  /** Of the last delivery that was given up, unless one succeeded since. */
  lastError: string | undefined;
}

interface QueueDeps {
  clock: Clock;
  random: Random;
  onUndelivered: ((delivery: Delivery) => void) | undefined;
}

const RETRY = { baseMs: 1_000, maxMs: 30_000 };

/** One channel's notifications, one after the other, so that an end never overtakes its beginning. */
export class DeliveryQueue {
  readonly #channel: Channel;
  readonly #limits: { attemptsMax: number; queuedMax: number };
  readonly #deps: QueueDeps;
  readonly #status: ChannelStatus;
  #queued = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    channel: Channel,
    limits: { attemptsMax: number; queuedMax: number },
    deps: QueueDeps,
  ) {
    this.#channel = channel;
    this.#limits = limits;
    this.#deps = deps;
    this.#status = {
      channel: channel.name,
      delivered: 0,
      undelivered: 0,
      lastDeliveredAt: undefined,
      lastError: undefined,
    };
  }

  async deliver(notification: Notification): Promise<Delivery> {
    if (this.#queued >= this.#limits.queuedMax) {
      const error = new Error(`${this.#queued} notices wait for it already`);
      return this.#ended({ channel: this.#channel.name, delivered: false, attempts: 0, error });
    }
    this.#queued += 1;
    const mine = this.#last.then(() => this.#attempt(notification));
    this.#last = mine;
    const delivery = await mine;
    this.#queued -= 1;
    return this.#ended(delivery);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    for (let last; last !== this.#last;) {
      last = this.#last;
      await last;
    }
  }

  status(): ChannelStatus {
    return { ...this.#status };
  }

  async #attempt(notification: Notification): Promise<Delivery> {
    const { clock, random } = this.#deps;
    const channel = this.#channel.name;
    for (let attempts = 1; ; attempts += 1) {
      try {
        await this.#channel.send(notification);
        return { channel, delivered: true, attempts };
      } catch (error) {
        const again = error instanceof HoldfastError && error.retryable;
        if (!again || attempts >= this.#limits.attemptsMax)
          return { channel, delivered: false, attempts, error };
        await clock.sleep(fullJitterMs(attempts, RETRY, random));
      }
    }
  }

  #ended(delivery: Delivery): Delivery {
    const status = this.#status;
    if (delivery.delivered) {
      status.delivered += 1;
      status.lastDeliveredAt = this.#deps.clock.now();
      status.lastError = undefined;
    } else {
      status.undelivered += 1;
      status.lastError =
        delivery.error instanceof Error ? delivery.error.message : String(delivery.error);
      this.#report(delivery);
    }
    return delivery;
  }

  #report(delivery: Delivery): void {
    try {
      this.#deps.onUndelivered?.(delivery);
    } catch (error) {
      process.emitWarning(error as Error, "NotifierListenerWarning");
    }
  }
}
