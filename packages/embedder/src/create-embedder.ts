import { ChromaEmbedder, type ChromaEmbedderDeps } from "./chroma-embedder.ts";
import { EmbedderError } from "./embedder-error.ts";
import type { Embedder } from "./embedder.ts";
import { HASH_PROVIDER, hashProvider } from "./hash-embedder.ts";
import { OfflineEmbedder } from "./offline-embedder.ts";
import { OFFLINE_IDENTITY } from "./offline-identity.ts";

export interface EmbedderOptions {
  /**
   * `default` works offline; `hash` needs no model either, and finds shared words alone; others by
   * the name of their `@chroma-core` package.
   */
  provider?: string;
  /** The provider's default where it has one. */
  model?: string;
  /** Handed to the provider's constructor; `default` has none, `hash` a `dimension`. */
  options?: Readonly<Record<string, unknown>>;
}

/**
 * Nothing is loaded and nothing is sent before the first `embed`.
 * @throws EmbedderError `EMBEDDER_UNKNOWN`, `EMBEDDER_OPTIONS_INVALID`.
 */
export function createEmbedder(
  choice: EmbedderOptions = {},
  deps: ChromaEmbedderDeps = {},
): Embedder {
  const { provider = OFFLINE_IDENTITY.provider, model } = choice;
  if (provider === HASH_PROVIDER) return hashProvider(choice);
  if (provider !== OFFLINE_IDENTITY.provider) {
    return new ChromaEmbedder({ ...choice, provider }, deps);
  }
  if (model !== undefined && model !== OFFLINE_IDENTITY.model) {
    throw new EmbedderError(`The default embedder has no model ${JSON.stringify(model)}`, {
      code: "EMBEDDER_OPTIONS_INVALID",
      hint: `Leave the model out, or write ${OFFLINE_IDENTITY.model}.`,
    });
  }
  if (Object.keys(choice.options ?? {}).length > 0) {
    throw new EmbedderError("The default embedder has no options", {
      code: "EMBEDDER_OPTIONS_INVALID",
      hint: "Leave them out, or name the provider they are meant for.",
    });
  }
  return new OfflineEmbedder();
}
