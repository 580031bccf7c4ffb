import type { CallOptions, Distance, VectorCollection } from "@holdfast/store";

const SAMPLES = 20;
const NEAREST = 10;
/** Two that are so near to each other may change places; of the farthest distance beyond 1. */
const TIE = 1e-4;

interface Sample {
  id: string;
  vector: Float32Array;
  /** Distances of the nearest that were seen, nearest first. */
  nearest: number[];
}

/** Asks a store for the neighbours of sampled vectors, and compares with those found one by one. */
export class NearestProbe {
  readonly #everyNth: number;
  readonly #measure: (a: Float32Array, b: Float32Array) => number;
  readonly #samples: Sample[] = [];
  #seen = 0;

  /** `total` vectors will be offered as samples. */
  constructor(total: number, distance: Distance) {
    this.#everyNth = Math.max(1, Math.floor(total / SAMPLES));
    this.#measure = MEASURES[distance];
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
      const distance = this.#measure(asked, vector);
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
      const tie = TIE * Math.max(1, Math.abs(farthest));
      wanted += nearest.length;
      found += matches.filter(({ distance }) => distance <= farthest + tie).length;
      // Others may be as near, and by inner product nearer.
      const isThere = matches.some((match) => match.id === id);
      const [first] = matches;
      const asNear = first !== undefined && first.distance <= this.#measure(vector, vector) + tie;
      if (!isThere && !asNear) strangers.push(id);
    }
    const recall = wanted === 0 ? 1 : Math.min(1, found / wanted);
    return { queries: this.#samples.length, recall, strangers };
  }
}

const MEASURES: Readonly<Record<Distance, (a: Float32Array, b: Float32Array) => number>> = {
  cosine: (a, b) => 1 - dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1),
  l2: (a, b) => dot(a, a) - 2 * dot(a, b) + dot(b, b),
  ip: (a, b) => 1 - dot(a, b),
};

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}
