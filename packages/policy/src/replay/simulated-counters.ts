import type { Claim } from "../evaluation.ts";
import type { CountersView } from "../counters/counters.ts";

/** What limits would have used, counted in memory: nothing is kept, and no other process counts. */
export class SimulatedCounters implements CountersView {
  readonly #claims = new Map<string, Claim[]>();
  readonly #counted = new Set<string>();

  /** Counts what a decision claimed, each event once. */
  count(claims: readonly Claim[]): void {
    for (const claim of claims) {
      const { rule, slot, subject, event } = claim;
      if (this.counted(rule, slot, event)) continue;
      this.#counted.add(keyOf(rule, slot, event));
      const key = keyOf(rule, slot, subject);
      const list = this.#claims.get(key);
      if (list === undefined) this.#claims.set(key, [claim]);
      else list.push(claim);
    }
  }

  executions(rule: string, subject: string): { count: number; lastAt: number | undefined } {
    const list = this.#claims.get(keyOf(rule, "", subject)) ?? [];
    return { count: list.length, lastAt: list.at(-1)?.at };
  }

  usesBetween(rule: string, slot: string, subject: string, after: number, before: number): number {
    const list = this.#claims.get(keyOf(rule, slot, subject)) ?? [];
    return list.filter(({ at }) => at > after && at < before).length;
  }

  counted(rule: string, slot: string, event: string): boolean {
    return this.#counted.has(keyOf(rule, slot, event));
  }
}

const keyOf = (...parts: string[]): string => JSON.stringify(parts);
