export type { ChromaEmbedderDeps } from "./chroma-embedder.ts";
export { createEmbedder, type EmbedderOptions } from "./create-embedder.ts";
export {
  EmbedderError,
  type EmbedderErrorCode,
  type EmbedderErrorOptions,
} from "./embedder-error.ts";
export type { Embedder, EmbedderIdentity, EmbedOptions } from "./embedder.ts";
