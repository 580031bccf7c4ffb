import type { Database } from "@holdfast/sqlite";
import type { Metadata } from "@holdfast/store";
import { MEMORY_COLUMNS, type RawRow, toRow } from "./mirror-row.ts";
import { checksumOf, readContent } from "./record-codec.ts";
import { checksumOfRecord } from "./sync/others-mirror.ts";

const PAGE = 500;

/**
 * A row of a damaged file may be readable and wrong. Takes out what a salvage has copied and what
 * contradicts itself: it is as good as lost, and comes back from elsewhere, or is named.
 */
export function dropUnsoundRows(target: Database): void {
  target.raw.exec(`
    UPDATE collection SET embedder = NULL WHERE NOT json_valid(embedder);
    UPDATE collection SET form = NULL WHERE NOT json_valid(form);
    UPDATE tombstone SET sent_keys = '[]' WHERE NOT json_valid(sent_keys);
    DELETE FROM restore_state WHERE NOT json_valid(detail);
    DELETE FROM sync WHERE NOT json_valid(counts);
    DELETE FROM salvaged WHERE NOT json_valid(lost);
    DELETE FROM vector WHERE length(vector) = 0 OR length(vector) % 4 <> 0;
    DELETE FROM memory WHERE NOT (json_valid(metadata) AND json_valid(tags) AND json_valid(sent_keys));
    DELETE FROM memory WHERE memory IN (SELECT memory FROM other WHERE NOT json_valid(metadata));
    UPDATE entry SET payload = NULL WHERE NOT json_valid(payload);`);
  dropMemories(target);
  dropWrites(target);
}

interface CopiedRow extends RawRow {
  /** Of another program's record, as the store gave it. */
  theirs: string | null;
  bare: number | null;
}

function dropMemories(target: Database): void {
  const read = target.raw.prepare(
    `SELECT ${MEMORY_COLUMNS}, other.metadata AS theirs, other.without_document AS bare
     FROM memory LEFT JOIN other USING (memory) WHERE memory > ? ORDER BY memory LIMIT ${PAGE}`,
  );
  const drop = target.raw.prepare("DELETE FROM memory WHERE memory = ?");
  for (let after = 0; ;) {
    const rows = read.all(after) as unknown as CopiedRow[];
    for (const row of rows) if (!isSound(row)) drop.run(row.memory);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.memory;
  }
}

function isSound(raw: CopiedRow): boolean {
  const { content: said, checksum, sentKeys } = toRow(raw);
  const content = readContent(said);
  if (content === undefined || !Array.isArray(sentKeys)) return false;
  if (raw.theirs === null) return checksumOf(content) === checksum;
  const document = raw.bare === 1 ? null : content.text;
  const metadata = JSON.parse(raw.theirs) as Metadata;
  return checksumOfRecord({ document, metadata }) === checksum;
}

/**
 * What a write put can be damaged without its memory being so. Where both are gone, nothing is left
 * to send: as a write without a memory it would delete what the store still holds of that id.
 */
function dropWrites(target: Database): void {
  const read = target.raw.prepare(
    `SELECT seq, payload FROM entry WHERE payload IS NOT NULL AND seq > ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const empty = target.raw.prepare("UPDATE entry SET payload = NULL WHERE seq = ?");
  for (let after = 0; ;) {
    const rows = read.all(after) as unknown as { seq: number; payload: string }[];
    for (const { seq, payload } of rows)
      if (readContent(JSON.parse(payload)) === undefined) empty.run(seq);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  target.raw.exec(`
    DELETE FROM entry WHERE operation = 'put' AND state <> 'stored' AND payload IS NULL
      AND NOT EXISTS (SELECT 1 FROM memory
        WHERE memory.collection = entry.collection AND memory.id = entry.id)
      AND NOT EXISTS (SELECT 1 FROM entry AS later WHERE later.collection = entry.collection
        AND later.id = entry.id AND later.revision > entry.revision AND later.operation = 'forget')`);
}
