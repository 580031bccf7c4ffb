import type { Embedder } from "@holdfast/memory";
import type { VectorStore } from "@holdfast/store";

/** For commands that only read what this machine keeps: they load neither client nor model. */
const never = (): Promise<never> =>
  Promise.reject(new TypeError("This command must not call the store"));

export const noStore: VectorStore = {
  limits: { batchRecordsMax: 1, batchBytesMax: 1 },
  ping: never,
  listCollections: never,
  openCollection: never,
  createCollection: never,
  renameCollection: never,
  deleteCollection: never,
  incarnation: () => undefined,
  close: () => Promise.resolve(),
};

export const noEmbedder: Embedder = { identity: never, embed: never };
