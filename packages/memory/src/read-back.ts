import type { CallOptions, VectorCollection } from "@holdfast/store";
import { MirrorComparison } from "./compare.ts";
import { InFlight } from "./in-flight.ts";
import type { Comparison } from "./memory.ts";
import type { Mirror } from "./mirror.ts";

/**
 * Compares what is written into a fresh collection with the mirror, batch by batch: while the store
 * takes one batch, the one before it is read back.
 */
export class ReadBack {
  readonly #collection: VectorCollection;
  readonly #comparison: MirrorComparison;
  readonly #call: CallOptions;
  readonly #reading = new InFlight();

  constructor(collection: VectorCollection, mirror: Mirror, call: CallOptions) {
    this.#collection = collection;
    this.#comparison = new MirrorComparison(mirror);
    this.#call = call;
  }

  /** Begins to read a batch back, once the one before it has been. Each id once. */
  async begin(ids: readonly string[]): Promise<void> {
    await this.#reading.start(async () => {
      const records = await this.#collection.get(ids, { embeddings: true, ...this.#call });
      this.#comparison.see(records);
    });
  }

  /** What became of all that was written. */
  async result(): Promise<Comparison> {
    await this.#reading.ended();
    return this.#comparison.result();
  }
}
