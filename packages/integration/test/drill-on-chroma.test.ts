import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ChromaStore } from "@holdfast/chroma";
import { hashEmbedder } from "@holdfast/embedder/testing";
import { drillBackup, type DrillReport } from "@holdfast/memory";
import type { VectorCollection } from "@holdfast/store";
import { startChroma } from "@holdfast/testkit";
import { backupsOn, memoryOn } from "./support/open-backups.ts";

const DIMENSION = 64;

let folder: string;
let path: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-drill-"));
  path = join(folder, "b.yaml");
  await using chroma = await startChroma();
  await using memory = memoryOn(chroma, join(folder, "state"));
  const items = Array.from({ length: 40 }, (_, n) => ({ id: `m${n}`, text: `memory ${n}` }));
  await memory.addMany(items);
  await using backups = backupsOn(chroma, join(folder, "state"));
  await backups.backup({ output: path });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A drill on a real server, in which somebody meddles before that is started again. */
async function drill(meddle: (held: VectorCollection) => Promise<void>): Promise<DrillReport> {
  await using chroma = await startChroma();
  const connect = (): ChromaStore => {
    const { host, port } = chroma;
    return new ChromaStore({ mode: "server", host, port, ssl: false });
  };
  const stateDirectory = mkdtempSync(join(folder, "scratch-"));
  const store = connect();
  const reopen = async (): Promise<ChromaStore> => {
    await meddle(await store.openCollection("memories"));
    await store.close();
    await chroma.restart();
    return connect();
  };
  return await drillBackup(
    path,
    { stateDirectory, store, reopen },
    hashEmbedder({ dimension: DIMENSION }),
  );
}

test("a drill finds all of a backup in a server that was started again", async () => {
  expect(await drill(() => Promise.resolve())).toMatchObject({ compared: 40, recall: 1 });
}, 120_000);

test.each<[string, (held: VectorCollection) => Promise<void>]>([
  ["text", (held) => replaced(held, (record) => ({ ...record, document: "planted" }))],
  [
    "vector",
    (held) =>
      replaced(held, (record) => ({
        ...record,
        embedding: record.embedding.map((value, at) => (at === 0 ? value + 0.01 : value)),
      })),
  ],
  ["absence", (held) => held.delete(["m3"])],
])(
  "a drill on a real server catches a planted wrong %s",
  async (_what, meddle) => {
    await expect(drill(meddle)).rejects.toMatchObject({
      code: "DRILL_FAILED",
      message: expect.stringContaining("m3"),
    });
  },
  120_000,
);

type Held = { id: string; document: string | null; embedding: Float32Array };

async function replaced(held: VectorCollection, change: (record: Held) => Held): Promise<void> {
  const [record] = await held.get(["m3"], { embeddings: true });
  if (record?.embedding === undefined) throw new Error("m3 was not restored");
  const { id, document, embedding, metadata } = record;
  await held.upsert([{ metadata, ...change({ id, document, embedding }) }]);
}
