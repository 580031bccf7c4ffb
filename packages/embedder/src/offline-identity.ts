import type { EmbedderIdentity } from "./embedder.ts";

export const MEANING_DIMENSION = 512;
export const WORDS_DIMENSION = 256;
export const OFFLINE_DIMENSION: number = MEANING_DIMENSION + WORDS_DIMENSION;

/** Changes whenever a text's vector would: collections remember it. */
export const OFFLINE_IDENTITY: Readonly<EmbedderIdentity> = {
  provider: "default",
  model: "use-lite-words-1",
  dimension: OFFLINE_DIMENSION,
};
