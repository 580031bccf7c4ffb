export const REFERENCE = {
  failureThreshold: 3,
  recoveryTimeoutMs: 1_000,
  successThreshold: 2,
  halfOpenProbesMax: 2,
  leaseMs: 60_000,
};

export type Finish = "success" | "failure" | "ignored";

/** The breaker as one would explain it on a whiteboard; written apart from the implementation. */
export class ReferenceBreaker {
  state: "closed" | "open" | "half-open" = "closed";
  forced: "open" | "closed" | "disabled" | null = null;
  failures = 0;
  successes = 0;
  #era = 0;
  #openedAt = 0;
  #calls: { era: number; at: number; counts: boolean; done: boolean }[] = [];

  /** A call begins: its number, or undefined when refused. */
  start(now: number): number | undefined {
    if (this.forced === "open") return undefined;
    if (this.state === "open") {
      if (now - this.#openedAt < REFERENCE.recoveryTimeoutMs) return undefined;
      this.#become("half-open", now);
    }
    if (this.state === "half-open") {
      const needed = REFERENCE.successThreshold - this.successes;
      const most = Math.min(REFERENCE.halfOpenProbesMax, needed);
      if (this.liveProbes(now).length >= most) return undefined;
    }
    const counts = this.forced === null;
    return this.#calls.push({ era: this.#era, at: now, counts, done: false }) - 1;
  }

  finish(index: number, how: Finish, now: number): void {
    const call = this.#calls[index];
    if (call === undefined) throw new Error("no such call");
    // A probe whose lease expired has an unknown outcome, never a success.
    const leased = this.state !== "half-open" || now - call.at < REFERENCE.leaseMs;
    const current = call.counts && call.era === this.#era && leased;
    call.done = true;
    if (!current || how === "ignored") return;
    if (this.state === "closed") {
      this.failures = how === "failure" ? this.failures + 1 : 0;
      if (this.failures >= REFERENCE.failureThreshold) this.#become("open", now);
    } else if (how === "failure") this.#become("open", now);
    else if (++this.successes >= REFERENCE.successThreshold) this.#become("closed", now);
  }

  order(order: "open" | "closed" | "disabled" | "reset" | "probe", now: number): void {
    if (order === "probe") {
      if (this.state === "open" && this.forced === null) this.#become("half-open", now);
      return;
    }
    this.forced = order === "reset" ? null : order;
    this.#become(order === "open" ? "open" : "closed", now);
  }

  /** Probes whose lease stands. */
  liveProbes(now: number): unknown[] {
    if (this.state !== "half-open") return [];
    return this.#calls.filter(
      ({ era, done, at }) => era === this.#era && !done && now - at < REFERENCE.leaseMs,
    );
  }

  #become(state: "closed" | "open" | "half-open", now: number): void {
    this.state = state;
    this.#era++;
    this.#openedAt = now;
    this.failures = this.successes = 0;
  }
}
