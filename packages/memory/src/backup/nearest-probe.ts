import type { CallOptions, VectorCollection } from "@holdfast/store";

const SAMPLES = 20;
const NEAREST = 10;
/** Two that are so near to each other may change places. */
const TIE = 1e-4;

interface Sample {
  id: string;
  vector: Float32Array;
  /** Cosine distances of the nearest that were seen, nearest first. */
  nearest: number[];
}

/** Asks a store for the neighbours of sampled vectors, and compares with those found one by one. */
export class NearestProbe {
  readonly #everyNth: number;
  readonly #samples: Sample[] = [];
  #seen = 0;

  /** `total` vectors will be offered as samples. */
  constructor(total: number) {
    this.#everyNth = Math.max(1, Math.floor(total / SAMPLES));
  }

  /** Offers a vector to ask for; every so many is taken. */
  sample(id: string, vector: Float32Array | undefined): void {
    this.#seen += 1;
    const isTaken = (this.#seen - 1) % this.#everyNth === 0 && this.#samples.length < SAMPLES;
    if (vector !== undefined && isTaken) this.#samples.push({ id, vector, nearest: [] });
  }

  /** A vector that the store holds. */
  rank(vector: Float32Array | undefined): void {
    if (vector === undefined) return;
    for (const { vector: asked, nearest } of this.#samples) {
      const distance = cosineDistance(asked, vector);
      if (nearest.length === NEAREST && distance >= (nearest.at(-1) ?? 0)) continue;
      const at = nearest.findIndex((other) => other > distance);
      nearest.splice(at === -1 ? nearest.length : at, 0, distance);
      nearest.length = Math.min(nearest.length, NEAREST);
    }
  }

  /** `strangers` are the samples that the store does not find by their own vector. */
  async ask(
    collection: VectorCollection,
    call: CallOptions,
  ): Promise<{ queries: number; recall: number; strangers: string[] }> {
    let wanted = 0;
    let found = 0;
    const strangers: string[] = [];
    for (const { id, vector, nearest } of this.#samples) {
      const matches = await collection.query(vector, { limit: NEAREST, ...call });
      const farthest = nearest.at(-1) ?? 0;
      wanted += nearest.length;
      found += matches.filter(({ distance }) => distance <= farthest + TIE).length;
      // Several may have that very vector.
      const isThere = matches.some((match) => match.id === id);
      if (!isThere && (matches[0]?.distance ?? 1) > TIE) strangers.push(id);
    }
    const recall = wanted === 0 ? 1 : Math.min(1, found / wanted);
    return { queries: this.#samples.length, recall, strangers };
  }
}

function cosineDistance(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let at = 0; at < a.length; at++) {
    const x = a[at] as number;
    const y = b[at] as number;
    dot += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return 1 - dot / (Math.sqrt(lengthA * lengthB) || 1);
}
