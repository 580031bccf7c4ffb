import { matchText, type TextMatch } from "./full-text.ts";
import type { Journal } from "./journal.ts";
import type { Filter, Hit } from "./memory-record.ts";
import { othersNumber } from "./sync/others-mirror.ts";

interface Within {
  limit: number;
  now: number;
}

/** Finds by their words, in this machine's mirror, memories and what other programs wrote. */
export function searchMirror(
  { working, collection }: Journal,
  query: string,
  filter: Filter,
  within: Within,
): Hit[] {
  const ours = matchText(working.db, collection, query, filter, within);
  const theirs = othersMatching(othersNumber(collection), working, query, filter, within);
  const matches = [...ours, ...theirs].toSorted((a, b) => a.rank - b.rank).slice(0, within.limit);
  const best = matches[0]?.rank ?? -1;
  return matches.map(({ row, rank }) => ({
    id: row.id,
    ...row.content,
    revision: row.revision,
    score: rank / best,
  }));
}

/** Without what is ours by now, and what the store has lost: these must not take the places. */
function othersMatching(
  number: number,
  { db, mirror, others }: Journal["working"],
  query: string,
  filter: Filter,
  { limit, now }: Within,
): TextMatch[] {
  for (let asked = limit; ; asked *= 4) {
    const found = matchText(db, number, query, filter, { limit: asked, now });
    const held = found.filter(
      ({ row: { id } }) => mirror.find(id) === undefined && others.known([id]).has(id),
    );
    if (held.length >= limit || found.length < asked) return held;
  }
}
