import type { NewMemory } from "../memory-record.ts";
import { fingerprintOf } from "./fingerprint.ts";

interface Seen {
  id: string;
  count: number;
  at: number;
}

const SEEN_MAX = 1_000;

/** Finds what says the same as something that was captured a short while ago. */
export class MergeWindow {
  readonly #windowMs: number;
  readonly #newId: () => string;
  readonly #seen = new Map<string, Seen>();

  /** `windowMs` 0 merges nothing. */
  constructor(windowMs: number, newId: () => string) {
    this.#windowMs = windowMs;
    this.#newId = newId;
  }

  /**
   * The memory to write for `memory`: itself with a new id, or with the id of the one it repeats,
   * the count of its repetitions, and what it says now.
   */
  merge(memory: NewMemory, now: number): { memory: NewMemory & { id: string }; repeated: boolean } {
    if (this.#windowMs === 0) return { memory: { ...memory, id: this.#newId() }, repeated: false };
    const key = fingerprintOf(memory);
    const before = this.#seen.get(key);
    const repeated = before !== undefined && now - before.at < this.#windowMs;
    const count = repeated ? before.count + 1 : 1;
    const written = {
      ...memory,
      id: repeated ? before.id : this.#newId(),
      ...(count > 1 ? { metadata: { ...memory.metadata, count } } : {}),
    };
    this.#seen.delete(key);
    this.#seen.set(key, { id: written.id, count, at: repeated ? before.at : now });
    if (this.#seen.size > SEEN_MAX) {
      const [oldest] = this.#seen.keys();
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    return { memory: written, repeated };
  }
}
