import type { CallOptions, VectorCollection, VectorRecord } from "@holdfast/store";
import type { Journal } from "../journal.ts";
import type { Embedder } from "../memory.ts";
import type { MirrorRow } from "../mirror-row.ts";
import { upsertEach } from "../upsert-each.ts";
import type { OtherLine } from "./backup-line.ts";

/** Texts that are embedded together. */
const EMBED_BATCH = 64;

interface FillDeps {
  journal: Journal;
  embedder: Embedder;
  fresh: VectorCollection;
  batchRecordsMax: number;
}

/**
 * Writes the staged memories after the row `after` into the fresh collection, a batch. What the
 * store refuses stays unapplied: it becomes a dead letter, with its reason, once it is queued.
 * Returns the last row's number, and all ids; undefined when there was none.
 */
export async function fillBatch(
  after: number,
  deps: FillDeps,
  call: CallOptions & { signal: AbortSignal },
  onEmbedded: (count: number) => void,
): Promise<{ last: number; ids: string[] } | undefined> {
  const { staged } = deps.journal.working;
  const rows = staged.page(after, deps.batchRecordsMax);
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const vectors = new Map(rows.map((row) => [row, staged.vectorOf(row.memory)] as const));
  onEmbedded(await embedMissing(vectors, deps, call.signal));
  const records = rows.map((row) => ({
    row,
    record: {
      id: row.id,
      document: row.content.text,
      metadata: staged.encode(row),
      embedding: vectors.get(row) as Float32Array,
    },
  }));
  const refused = await upsertEach(
    records.map(({ record }) => record),
    deps.fresh,
    call,
  );
  deps.journal.work((tables) => {
    for (const { row } of records) if (!refused.has(row.id)) tables.staged.markApplied(row, false);
  });
  return { last: last.memory, ids: rows.map(({ id }) => id) };
}

async function embedMissing(
  vectors: Map<MirrorRow, Float32Array | undefined>,
  { journal, embedder }: FillDeps,
  signal: AbortSignal,
): Promise<number> {
  const missing = [...vectors].filter(([, vector]) => vector === undefined).map(([row]) => row);
  for (let from = 0; from < missing.length; from += EMBED_BATCH) {
    const rows = missing.slice(from, from + EMBED_BATCH);
    const made = await embedder.embed(
      rows.map((row) => row.content.text),
      { signal },
    );
    journal.work(({ staged }) => {
      for (const [index, row] of rows.entries()) {
        vectors.set(row, made[index]);
        staged.keepVector(row, made[index] as Float32Array);
      }
    });
  }
  return missing.length;
}

/**
 * Writes other programs' records as they were; with `reEmbed`, with new vectors of their texts.
 * Returns the ids that the store does not take.
 */
export async function fillOthers(
  lines: readonly OtherLine[],
  reEmbed: boolean,
  { embedder, fresh }: FillDeps,
  call: CallOptions & { signal: AbortSignal },
): Promise<ReadonlySet<string>> {
  const refused = new Set<string>();
  const records: VectorRecord[] = [];
  const embeddable = reEmbed ? lines.filter(({ document }) => document !== null) : lines;
  const texts = reEmbed ? embeddable.map(({ document }) => document ?? "") : [];
  const made = reEmbed ? await embedder.embed(texts, { signal: call.signal }) : [];
  for (const line of lines) if (!embeddable.includes(line)) refused.add(line.id);
  for (const [index, { id, document, metadata, vector }] of embeddable.entries())
    records.push({ id, document, metadata, embedding: made[index] ?? vector });
  for (const id of await upsertEach(records, fresh, call)) refused.add(id);
  return refused;
}
