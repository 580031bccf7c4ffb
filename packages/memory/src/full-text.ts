import type { Database } from "@holdfast/sqlite";
import { filterSql } from "./filter-sql.ts";
import type { Filter } from "./memory-record.ts";
import { MEMORY_COLUMNS, type MirrorRow, type RawRow, toRow } from "./mirror-row.ts";

/** Words of a query that are looked up at most; the rarest say most. */
const TERMS_MAX = 8;
/** Words of a query that are considered at most. */
const CANDIDATES_MAX = 32;
/** Memories that the chosen words may match together before the commonest words are dropped. */
const MATCHES_MAX = 3_000;

export interface TextMatch {
  row: MirrorRow;
  /** BM25 as SQLite gives it: more negative is better. */
  rank: number;
}

/**
 * Finds memories by their words. Work is bounded whatever the query: the rarest words are kept,
 * and words that match too many memories are dropped unless nothing else is left.
 */
export function matchText(
  db: Database,
  collection: number,
  query: string,
  filter: Filter,
  options: { limit: number; now: number },
): TextMatch[] {
  const terms = chooseTerms(db, query);
  if (terms.length === 0) return [];
  const condition = filterSql(collection, filter, options.now);
  const rows = db.raw
    .prepare(
      `SELECT ${MEMORY_COLUMNS}, memory_text.rank AS text_rank FROM memory_text
       JOIN memory ON memory.memory = memory_text.rowid
       WHERE memory_text MATCH ? AND ${condition.sql}
       ORDER BY memory_text.rank LIMIT ?`,
    )
    .all(terms.map(quote).join(" OR "), ...condition.parameters, options.limit);
  return (rows as unknown as (RawRow & { text_rank: number })[]).map((raw) => ({
    row: toRow(raw),
    rank: raw.text_rank,
  }));
}

/** The rarest words of a query, as many as the bounds allow, always at least one that occurs. */
function chooseTerms(db: Database, query: string): string[] {
  const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu))];
  const frequency = db.prepare(
    "SELECT count(*) AS n FROM (SELECT 1 FROM memory_text WHERE memory_text MATCH ? LIMIT ?)",
  );
  const counted = words
    .slice(0, CANDIDATES_MAX)
    .map((word) => ({
      word,
      matches: (frequency.get(quote(word), MATCHES_MAX + 1) as { n: number }).n,
    }))
    .filter(({ matches }) => matches > 0)
    .toSorted((a, b) => a.matches - b.matches);
  const chosen: string[] = [];
  let total = 0;
  for (const { word, matches } of counted.slice(0, TERMS_MAX)) {
    total += matches;
    if (chosen.length > 0 && total > MATCHES_MAX) break;
    chosen.push(word);
  }
  return chosen;
}

function quote(term: string): string {
  return `"${term.replaceAll('"', '""')}"`;
}
