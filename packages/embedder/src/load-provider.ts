import type { ChromaProvider } from "./chroma-providers.ts";
import { EmbedderError } from "./embedder-error.ts";

/** What all of Chroma's embedding functions have in common. */
export interface EmbeddingFunction {
  generate(texts: string[]): Promise<number[][]>;
}

type EmbeddingClass = new (args: object) => EmbeddingFunction;
type ImportModule = (name: string) => Promise<Record<string, unknown>>;

export interface ProviderChoice {
  name: string;
  provider: ChromaProvider;
  model: string;
  options: Readonly<Record<string, unknown>>;
}

/** @throws EmbedderError `EMBEDDER_NOT_INSTALLED`, `EMBEDDER_OPTIONS_INVALID`. */
export async function loadProvider(
  choice: ProviderChoice,
  importModule: ImportModule,
): Promise<EmbeddingFunction> {
  const { name, provider, model, options } = choice;
  const Found = await importClass(name, provider, importModule);
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) args[respelled(key, provider)] = value;
  if (provider.modelOption !== undefined) args[provider.modelOption] = model;
  try {
    return new Found(args);
  } catch (cause) {
    throw new EmbedderError(`The embedder ${name} refuses its options: ${reasonOf(cause)}`, {
      code: "EMBEDDER_OPTIONS_INVALID",
      hint: `Options are handed to ${provider.packageName}, whose page lists them.`,
      cause,
    });
  }
}

async function importClass(
  name: string,
  { packageName, exportName }: ChromaProvider,
  importModule: ImportModule,
): Promise<EmbeddingClass> {
  let loaded: Record<string, unknown>;
  try {
    loaded = await importModule(packageName);
  } catch (cause) {
    throw new EmbedderError(`The embedder ${name} cannot be loaded: ${reasonOf(cause)}`, {
      code: "EMBEDDER_NOT_INSTALLED",
      hint: `Run: npm install ${packageName} chromadb`,
      cause,
    });
  }
  const found = loaded[exportName];
  if (typeof found === "function") return found as EmbeddingClass;
  throw new EmbedderError(`${packageName} has no ${exportName}`, {
    code: "EMBEDDER_NOT_INSTALLED",
    hint: `Run: npm install ${packageName}@latest chromadb`,
  });
}

/** `apiKeyEnvVar` and `api_key_env_var` both work, whatever the constructor's own spelling. */
function respelled(key: string, provider: ChromaProvider): string {
  return provider.spelling === "camelCase"
    ? key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
