import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { ChromaClient } from "chromadb";
import type { Corpus } from "./corpus.ts";
import type { Result } from "../results.ts";
import { median } from "../statistics.ts";
import {
  type Address,
  KnownVectors,
  openWorkspace,
  ownMetadata,
  rawClient,
  rawCollection,
  rawMetadata,
} from "./workspace.ts";

const ROUNDS = 3;
const WRITES = 5_000;
/** As many as Holdfast sends at most in one request. */
const BATCH = 1_000;
const GOAL = 0.9;
/** The first write makes the collection, outside of what is measured. */
const FIRST = "The first memory of all.";

/** Bringing queued writes into Chroma against upserting the same in batches, each anew. */
export async function drainResults(address: Address, corpus: Corpus): Promise<Result[]> {
  const texts = corpus.sentences(WRITES);
  const known = new KnownVectors();
  await known.learn([FIRST, ...texts]);
  const client = rawClient(address);
  const ratios: { embedded: number; unembedded: number }[] = [];
  const perSecond: { embedded: number[]; raw: number[] } = { embedded: [], raw: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    // The first round, short, warms up.
    const some = round === 0 ? texts.slice(0, BATCH) : texts;
    const embedded = await drain(address, known, some, { round, embedded: true });
    const raw = await upsert(client, known, some, round);
    const unembedded = await drain(address, known, some, { round, embedded: false });
    if (round === 0) continue;
    ratios.push({ embedded: raw / embedded, unembedded: raw / unembedded });
    perSecond.embedded.push((some.length / embedded) * 1_000);
    perSecond.raw.push((some.length / raw) * 1_000);
  }
  const figures = [perSecond.embedded, perSecond.raw].map((each) => Math.round(median(each)));
  return [
    {
      subject: `drain of ${WRITES} writes, throughput against raw upsert`,
      value: median(ratios.map((ratio) => ratio.embedded)),
      unit: "×",
      goal: { atLeast: GOAL },
      detail: `${figures.join(" / ")} writes/s`,
    },
    {
      subject: "the same with vectors still to be made, by an embedder that costs nothing",
      value: median(ratios.map((ratio) => ratio.unembedded)),
      unit: "×",
      detail: "",
    },
  ];
}

/** Milliseconds from full outbox to empty. */
async function drain(
  address: Address,
  known: KnownVectors,
  texts: readonly string[],
  run: { round: number; embedded: boolean },
): Promise<number> {
  const collection = `drain-${run.embedded ? "known" : "unknown"}-${run.round}`;
  await using workspace = openWorkspace(address, known, { collection, background: false });
  const { memory } = workspace;
  await memory.add(FIRST, { waitMs: 60_000 });
  const receipts = await memory.addMany(
    texts.map((text, index) => ({ text, ...ownMetadata(index) })),
    { waitMs: 0 },
  );
  if (run.embedded) keepVectors(workspace.file, known, receipts, texts);
  const started = performance.now();
  const report = await memory.drain();
  const took = performance.now() - started;
  if (report.stored !== texts.length) throw new Error(report.stoppedBy ?? "not all were stored");
  return took;
}

/** As if they had been embedded before the store went away. */
function keepVectors(
  file: string,
  known: KnownVectors,
  receipts: readonly { id: string }[],
  texts: readonly string[],
): void {
  using db = new DatabaseSync(file);
  const keep = db.prepare("INSERT INTO vector SELECT memory, ? FROM memory WHERE id = ?");
  db.exec("BEGIN");
  for (const [index, { id }] of receipts.entries()) {
    const vector = known.of(texts[index] as string);
    keep.run(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), id);
  }
  db.exec("COMMIT");
}

async function upsert(
  client: ChromaClient,
  known: KnownVectors,
  texts: readonly string[],
  round: number,
): Promise<number> {
  const collection = await rawCollection(client, `drain-raw-${round}`);
  const started = performance.now();
  for (let from = 0; from < texts.length; from += BATCH) {
    const batch = texts.slice(from, from + BATCH);
    await collection.upsert({
      ids: batch.map(() => randomUUID()),
      embeddings: batch.map((text) => Array.from(known.of(text))),
      documents: batch,
      metadatas: batch.map((_, index) => rawMetadata(from + index)),
    });
  }
  return performance.now() - started;
}
