import { type CollectionSpec, type EmbedderIdentity, sameEmbedder } from "@holdfast/store";
import type { Embedder } from "../memory.ts";
import { MemoryError } from "../memory-error.ts";
import { collectionOf } from "./restore-target.ts";
import type { ChainLink } from "./verify-backup.ts";

interface Asked {
  chain: readonly ChainLink[];
  reEmbed: boolean;
}

/**
 * The model whose vectors the restored collection will hold.
 * @throws MemoryError `EMBEDDER_MISMATCH`.
 */
export async function usableEmbedder(
  { chain, reEmbed }: Asked,
  { embedder }: { embedder: Embedder },
): Promise<EmbedderIdentity> {
  const ours = await embedder.identity();
  const theirs = collectionOf(chain).embedder;
  if (theirs === undefined || sameEmbedder(theirs, ours) || reEmbed) return ours;
  const say = (identity: EmbedderIdentity): string =>
    `${identity.provider}/${identity.model} (${identity.dimension} dimensions)`;
  throw new MemoryError(
    `The backup holds vectors of ${say(theirs)}; the embedder in use is ${say(ours)}`,
    {
      code: "EMBEDDER_MISMATCH",
      hint: "Set embedder back to that one, or compute all vectors anew with --re-embed.",
    },
  );
}

/**
 * What a restore makes its collection with: as the backed up one was made; of an older backup, which
 * does not say, as ours are, unless it holds none of our vectors.
 */
export function freshForm(
  { chain, reEmbed }: Asked,
  ours: EmbedderIdentity,
): Omit<CollectionSpec, "name"> {
  const isOurs = reEmbed || holdsOurs(chain);
  const { form } = collectionOf(chain);
  if (form === undefined) return { embedder: isOurs ? ours : undefined };
  return { ...form, embedder: reEmbed ? ours : form.embedder };
}

/** Whether any vector in a backup was made by the embedder of its memories. */
export function holdsOurs(chain: readonly ChainLink[]): boolean {
  return chain.some(({ manifest: { collections } }) =>
    collections.some(({ memories, without_vector: without }) => memories > without),
  );
}
