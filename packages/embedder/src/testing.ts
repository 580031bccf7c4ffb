export { hashEmbedder, type HashEmbedderOptions } from "./hash-embedder.ts";
