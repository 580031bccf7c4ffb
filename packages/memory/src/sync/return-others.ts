import type {
  CallOptions,
  EmbedderIdentity,
  VectorCollection,
  VectorRecord,
} from "@holdfast/store";
import type { Journal } from "../journal.ts";
import type { OtherRecord } from "./others-mirror.ts";

const PAGE = 500;

/**
 * Which vectors a collection made anew is to hold: ours, unless everything in it is others' and of
 * another dimension.
 */
export function embedderFor({ working }: Journal, ours: EmbedderIdentity): EmbedderIdentity {
  if (working.mirror.hasApplied()) return ours;
  return unknownEmbedder(working.others.page(0, 1)[0]?.vector?.length, ours);
}

/** Of vectors of others nobody knows the model: `ours`, unless they are of another `dimension`. */
export function unknownEmbedder(
  dimension: number | undefined,
  ours: EmbedderIdentity,
): EmbedderIdentity {
  if (dimension === undefined || dimension === ours.dimension) return ours;
  return { provider: "unknown", model: "unknown", dimension };
}

/**
 * Writes into a fresh collection what other programs had put into the one that was lost, as the
 * last sync saw it, except what is there already. Returns how many.
 */
export async function returnOthers(
  fresh: VectorCollection,
  { working }: Journal,
  call: CallOptions,
): Promise<number> {
  const { mirror, others } = working;
  let returned = 0;
  for (let page = others.page(0, PAGE); page.length > 0;) {
    const theirs = page.filter(({ id }) => mirror.find(id) === undefined);
    const ids = theirs.map(({ id }) => id);
    const there = new Set((await fresh.get(ids, call)).map(({ id }) => id));
    const missing = theirs.filter(({ id }) => !there.has(id)).flatMap(asRecord);
    await fresh.upsert(missing, call);
    returned += missing.length;
    page = others.page(page.at(-1)?.memory ?? 0, PAGE);
  }
  return returned;
}

/** Nothing for a record whose vector the store did not have either. */
export function asRecord({ id, document, metadata, vector }: OtherRecord): VectorRecord[] {
  if (vector === undefined) return [];
  return [{ id, document: document ?? "", metadata, embedding: vector }];
}
