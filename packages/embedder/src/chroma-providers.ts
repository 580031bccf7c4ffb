/** One of Chroma's embedding functions: where it lives, and how it is called. */
export interface ChromaProvider {
  packageName: string;
  exportName: string;
  /** The constructor's argument for the model; undefined where the server decides. */
  modelOption: string | undefined;
  /** Used when the caller names none; undefined where the caller must. */
  modelDefault: string | undefined;
  /** How the constructor spells its arguments. */
  spelling: "camelCase" | "snake_case";
  /** Texts in one call of its `generate`. */
  batchSize: number;
}

function provider(
  name: string,
  className: string,
  modelOption: string | undefined,
  modelDefault?: string,
  spelling: ChromaProvider["spelling"] = "camelCase",
): ChromaProvider {
  return {
    packageName: `@chroma-core/${name}`,
    exportName: `${className}EmbeddingFunction`,
    modelOption,
    modelDefault,
    spelling,
    batchSize: 64,
  };
}

/** By the name that a configuration uses: the package's, without its scope. */
export const CHROMA_PROVIDERS: Readonly<Record<string, ChromaProvider>> = {
  "cloudflare-worker-ai": provider("cloudflare-worker-ai", "CloudflareWorkerAI", "modelName"),
  cohere: provider("cohere", "Cohere", "modelName", "embed-english-v3.0"),
  "default-embed": provider("default-embed", "Default", "modelName", "Xenova/all-MiniLM-L6-v2"),
  "google-gemini": provider("google-gemini", "GoogleGemini", "modelName", "gemini-embedding-001"),
  "huggingface-server": provider("huggingface-server", "HuggingfaceServer", undefined),
  jina: provider("jina", "Jina", "modelName", "jina-clip-v2"),
  mistral: provider("mistral", "Mistral", "model", "mistral-embed"),
  morph: provider("morph", "Morph", "model_name", "morph-embedding-v2", "snake_case"),
  ollama: provider("ollama", "Ollama", "model", "chroma/all-minilm-l6-v2-f32"),
  openai: provider("openai", "OpenAI", "modelName", "text-embedding-3-small"),
  "sentence-transformer": provider(
    "sentence-transformer",
    "SentenceTransformers",
    "modelName",
    "all-MiniLM-L6-v2",
  ),
  "together-ai": provider("together-ai", "TogetherAI", "modelName"),
  voyageai: provider("voyageai", "VoyageAI", "modelName"),
};

/** Dimensions that their makers document; other models are asked once. */
export const KNOWN_DIMENSIONS: Readonly<Record<string, number>> = {
  "all-MiniLM-L6-v2": 384,
  "chroma/all-minilm-l6-v2-f32": 384,
  "embed-english-v3.0": 1024,
  "embed-multilingual-v3.0": 1024,
  "mistral-embed": 1024,
  "nomic-embed-text": 768,
  "text-embedding-3-large": 3072,
  "text-embedding-3-small": 1536,
  "text-embedding-ada-002": 1536,
  "Xenova/all-MiniLM-L6-v2": 384,
};
