import type { EmbedderIdentity } from "@holdfast/store";
import type { Journal } from "../journal.ts";
import type { Embedder } from "../memory.ts";
import { MemoryError } from "../memory-error.ts";
import { unknownEmbedder } from "../sync/return-others.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import { collectionOf, otherRecords } from "./restore-target.ts";
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
  const same =
    theirs === undefined ||
    (theirs.provider === ours.provider &&
      theirs.model === ours.model &&
      theirs.dimension === ours.dimension);
  if (same || reEmbed) return ours;
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
 * Which vectors the collection is made for that a restore fills: `ours`, unless it has none of ours
 * and those of other programs are of another dimension.
 */
export async function freshEmbedder(
  { chain, reEmbed }: Asked,
  ours: EmbedderIdentity,
  { working, collection }: Journal,
  signal: AbortSignal,
): Promise<EmbedderIdentity> {
  const isOurs = chain.some(({ manifest: { collections } }) =>
    collections.some(({ memories, without_vector: without }) => memories > without),
  );
  if (reEmbed || isOurs) return ours;
  const forgotten = new ForgottenIds(working.db, collection, collectionOf(chain).name);
  for await (const [first] of otherRecords(chain, forgotten, signal))
    return unknownEmbedder(first?.vector.length, ours);
  return ours;
}
