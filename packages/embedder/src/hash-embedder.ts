import type { Embedder } from "./embedder.ts";
import { EmbedderError } from "./embedder-error.ts";
import { wordFeatures } from "./word-features.ts";

export interface HashEmbedderOptions {
  /** Numbers in a vector; default 256. A positive integer. */
  dimension?: number;
}

export const HASH_PROVIDER = "hash";
const MODEL = "words";
const DIMENSION_DEFAULT = 256;

/**
 * Hashes a text's words into a unit vector, in microseconds and without a model. Texts that share
 * words are near each other; meaning plays no part. A text without words becomes the first unit
 * vector, since cosine needs a length.
 * @throws EmbedderError `EMBEDDER_OPTIONS_INVALID` for a dimension that is no positive integer.
 */
export function hashEmbedder(options: HashEmbedderOptions = {}): Embedder {
  const dimension = options.dimension ?? DIMENSION_DEFAULT;
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new EmbedderError(`Not a dimension: ${dimension}`, { code: "EMBEDDER_OPTIONS_INVALID" });
  }
  const vectorOf = (text: string): Float32Array => {
    const vector = Float32Array.from(wordFeatures(text, { dimension, trigrams: false }));
    if (vector.every((value) => value === 0)) vector[0] = 1;
    return vector;
  };
  return {
    identity: () => Promise.resolve({ provider: HASH_PROVIDER, model: MODEL, dimension }),
    embed: async (texts, { signal } = {}) => {
      signal?.throwIfAborted();
      return texts.map(vectorOf);
    },
    close: () => Promise.resolve(),
  };
}

/** @throws EmbedderError `EMBEDDER_OPTIONS_INVALID` for what the provider does not have. */
export function hashProvider(choice: {
  model?: string;
  options?: Readonly<Record<string, unknown>>;
}): Embedder {
  const { dimension, ...others } = choice.options ?? {};
  const [other] = Object.keys(others);
  if (other !== undefined || (choice.model ?? MODEL) !== MODEL) {
    const what = other === undefined ? `model ${choice.model}` : `option ${other}`;
    throw new EmbedderError(`The ${HASH_PROVIDER} embedder has no ${what}`, {
      code: "EMBEDDER_OPTIONS_INVALID",
      hint: `Leave it out; its model is ${MODEL}, and its one option dimension.`,
    });
  }
  return hashEmbedder(dimension === undefined ? {} : { dimension: Number(dimension) });
}
