/** Words too common to tell one English memory from another. */
const COMMON_WORDS: ReadonlySet<string> = new Set(
  (
    "a an and are as at be been but by can could did do does for from had has have he her his how " +
    "i if in is it its me my not of on or our she so that the their them they this to was we were " +
    "what when where which who why will with would you your"
  ).split(" "),
);

const WORD = /[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\p{P}\p{C}\s]/gu;
const GRAM_LENGTH = 3;
/** A word's trigrams together weigh half as much as the word, so that endings may differ. */
const GRAMS_WEIGHT = 0.5;
/** Beyond this a run of letters is data, not a word: its trigrams would be noise. */
const WORD_LENGTH_MAX = 64;

export interface WordFeatureOptions {
  dimension: number;
  /** Also count each word's trigrams, so that inflections and unspaced scripts meet. */
  trigrams: boolean;
}

/**
 * The words of a text, hashed into `dimension` signed counts of unit length; all zeros when it has
 * no words. Deterministic on every machine.
 * Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
 */
export function wordFeatures(text: string, options: WordFeatureOptions): Float64Array {
  const features = new Float64Array(options.dimension);
  for (const [feature, weight] of countFeatures(text, options.trigrams)) {
    const hash = hashText(feature);
    const slot = (hash >>> 1) % options.dimension;
    features[slot] = (features[slot] ?? 0) + ((hash & 1) === 0 ? 1 : -1) * Math.sqrt(weight);
  }
  return toUnitLength(features);
}

/** Scales in place to length 1; all zeros stay zeros. */
export function toUnitLength<T extends Float32Array | Float64Array>(vector: T): T {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) return vector;
  const length = Math.sqrt(squares);
  for (const [index, value] of vector.entries()) vector[index] = value / length;
  return vector;
}

function countFeatures(text: string, trigrams: boolean): Map<string, number> {
  const all = text.toWellFormed().normalize("NFKC").toLowerCase().match(WORD) ?? [];
  const telling = all.filter((word) => !COMMON_WORDS.has(word));
  const counts = new Map<string, number>();
  const add = (feature: string, weight: number): void => {
    counts.set(feature, (counts.get(feature) ?? 0) + weight);
  };
  for (const word of telling.length > 0 ? telling : all) {
    add(word, 1);
    if (!trigrams || word.length > WORD_LENGTH_MAX) continue;
    const symbols = Array.from(`<${word}>`);
    const weight = GRAMS_WEIGHT / Math.sqrt(symbols.length);
    for (let start = 0; start + GRAM_LENGTH <= symbols.length; start += 1) {
      add(`#${symbols.slice(start, start + GRAM_LENGTH).join("")}`, weight);
    }
  }
  return counts;
}

/** FNV-1a over UTF-16 units, then MurmurHash3's finalizer, so that every bit is usable. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
