import type { Embedder } from "./embedder.ts";
import { EmbedderError } from "./embedder-error.ts";
import { wordFeatures } from "./word-features.ts";

export interface HashEmbedderOptions {
  /** Numbers in a vector; default 64. A positive integer. */
  dimension?: number;
}

/**
 * For tests: hashes a text's words into a unit vector, in microseconds and without a model. Texts
 * that share words are near each other; meaning plays no part. A text without words becomes the
 * first unit vector, since cosine needs a length.
 * @throws EmbedderError `EMBEDDER_OPTIONS_INVALID` for a dimension that is no positive integer.
 */
export function hashEmbedder(options: HashEmbedderOptions = {}): Embedder {
  const dimension = options.dimension ?? 64;
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new EmbedderError(`Not a dimension: ${dimension}`, { code: "EMBEDDER_OPTIONS_INVALID" });
  }
  const vectorOf = (text: string): Float32Array => {
    const vector = Float32Array.from(wordFeatures(text, { dimension, trigrams: false }));
    if (vector.every((value) => value === 0)) vector[0] = 1;
    return vector;
  };
  return {
    identity: () => Promise.resolve({ provider: "hash", model: "words", dimension }),
    embed: async (texts, { signal } = {}) => {
      signal?.throwIfAborted();
      return texts.map(vectorOf);
    },
    close: () => Promise.resolve(),
  };
}
