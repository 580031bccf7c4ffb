/** Which model makes the vectors: vectors of two models cannot be compared. */
export interface EmbedderIdentity {
  provider: string;
  model: string;
  /** Numbers in a vector. */
  dimension: number;
}

export interface EmbedOptions {
  /** Ends the wait at once, with the signal's reason; work on texts not yet begun is dropped. */
  signal?: AbortSignal;
}

/** Turns texts into vectors. */
export interface Embedder {
  /**
   * The default provider answers from constants. Another one answers from constants for the models
   * that we know, else it embeds one word, once, to learn the dimension.
   * @throws EmbedderError
   */
  identity(): Promise<EmbedderIdentity>;
  /**
   * One vector a text, in order, each of `identity().dimension`. Any text is accepted, empty and
   * ill-formed ones included. The first call loads the provider.
   * @throws EmbedderError, or the signal's reason.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
  /** Ends pending calls with `EMBEDDER_CLOSED` and frees the model's memory. Idempotent. */
  close(): Promise<void>;
}
