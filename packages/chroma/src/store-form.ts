import type {
  CollectionForm,
  CollectionInfo,
  CollectionSpec,
  Distance,
  EmbedderIdentity,
} from "@holdfast/store";

const PROVIDER_KEY = "hf:embedder_provider";
const MODEL_KEY = "hf:embedder_model";
const DIMENSION_KEY = "hf:embedder_dimension";
const OURS: readonly string[] = [PROVIDER_KEY, MODEL_KEY, DIMENSION_KEY];

type Fields = Readonly<Record<string, unknown>>;

/** A collection as Chroma tells of it. */
export interface CollectionAnswer {
  id: string;
  name: string;
  metadata?: Fields | null;
  configuration_json?: {
    hnsw?: Fields | null;
    spann?: Fields | null;
    embedding_function?: Fields | null;
  };
}

/** Chroma's own default, for what says nothing. */
const DISTANCE_DEFAULT: Distance = "l2";

/** The embedder's identity stands in the collection's own metadata, beside what others keep there. */
export function decodeInfo({
  name,
  metadata,
  configuration_json,
}: CollectionAnswer): CollectionInfo {
  const { hnsw, spann, embedding_function } = configuration_json ?? {};
  const { space, ...index } = hnsw ?? {};
  const theirs = Object.entries(metadata ?? {}).filter(([key]) => !OURS.includes(key));
  return {
    name,
    embedder: decodeEmbedder(metadata),
    distance: (space ?? spann?.["space"] ?? DISTANCE_DEFAULT) as Distance,
    settings: {
      ...(Object.keys(index).length === 0 ? {} : { hnsw: index }),
      ...(embedding_function ? { embedding_function } : {}),
      ...(theirs.length === 0 ? {} : { metadata: Object.fromEntries(theirs) }),
    },
  };
}

/** The body that creates a collection; what {@link decodeInfo} read makes one alike. */
export function createBody({ name, embedder, distance, settings = {} }: CollectionSpec): string {
  const { hnsw, embedding_function, metadata } = settings as ChromaSettings;
  const own = { ...metadata, ...(embedder === undefined ? {} : embedderMetadata(embedder)) };
  return JSON.stringify({
    name,
    get_or_create: false,
    ...(Object.keys(own).length === 0 ? {} : { metadata: own }),
    configuration: {
      hnsw: { ...hnsw, space: distance ?? "cosine" },
      ...(embedding_function === undefined ? {} : { embedding_function }),
    },
  });
}

interface ChromaSettings {
  hnsw?: Fields;
  embedding_function?: Fields;
  metadata?: Fields;
}

function embedderMetadata({ provider, model, dimension }: EmbedderIdentity): Fields {
  return { [PROVIDER_KEY]: provider, [MODEL_KEY]: model, [DIMENSION_KEY]: dimension };
}

/** Undefined for a collection that another program created. */
function decodeEmbedder(metadata: Fields | null | undefined): CollectionForm["embedder"] {
  const provider = metadata?.[PROVIDER_KEY];
  const model = metadata?.[MODEL_KEY];
  const dimension = metadata?.[DIMENSION_KEY];
  if (typeof provider !== "string" || typeof model !== "string" || typeof dimension !== "number") {
    return undefined;
  }
  return { provider, model, dimension };
}
