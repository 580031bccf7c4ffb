import { expect, test } from "@jest/globals";
import { closeSync, globSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ChromaStore, compactDirectory } from "@holdfast/chroma";
import { hashEmbedder } from "@holdfast/embedder/testing";
import type { Memory } from "@holdfast/memory";
import type { Distance } from "@holdfast/store";
import { startChroma } from "@holdfast/testkit";
import { openMemory } from "./support/open-memory.ts";
import { RawChroma } from "./support/raw-chroma.ts";
import { testedBuilds } from "./support/server-builds.ts";

function filesWith(directory: string, needle: string): string[] {
  return globSync("**/*", { cwd: directory }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(needle);
  });
}

test("what was forgotten is in no file of Chroma's once it was compacted; the rest works", async () => {
  const chroma = await startChroma();
  try {
    const memory = openMemory(chroma.dataDirectory);
    await memory.addMany(
      Array.from({ length: 60 }, (_, n) => ({ id: `id-${n}`, text: `memory number ${n}` })),
    );
    const secret = { metadata: { place: "zanzibarquay" }, tags: ["xyltag"] };
    await memory.add("the xylophone stands in the quartzroom", { id: "secret", ...secret });
    await memory.update("secret", { text: "the xylophone stands in the marbleroom" });
    expect(await memory.forget(["secret"])).toMatchObject({ durability: "stored" });
    await memory.close();
    await chroma.kill9();
    const needles = ["xylophone", "quartzroom", "marbleroom", "zanzibarquay", "xyltag"];
    const before = needles.flatMap((needle) => filesWith(chroma.dataDirectory, needle));
    // Without this, there would be nothing to compact and nothing to show.
    expect(before).toContain("chroma.sqlite3");

    // As a server's memory gets into the rows that an index keeps in reserve.
    const [reserve = ""] = globSync("*/length.bin", { cwd: chroma.dataDirectory });
    const index = openSync(join(chroma.dataDirectory, reserve), "r+");
    writeSync(index, "the xylophone stands", 30_000);
    closeSync(index);

    compactDirectory(chroma.dataDirectory, ["secret"]);
    for (const needle of needles) expect(filesWith(chroma.dataDirectory, needle)).toEqual([]);

    await chroma.restart();
    const again = openMemory(chroma.dataDirectory);
    expect(await again.compare()).toMatchObject({ equal: true, compared: 60 });
    const found = await again.search("memory number 7", { limit: 3 });
    expect(found).toMatchObject({ degraded: false });
    expect(found.hits[0]).toMatchObject({ id: "id-7", text: "memory number 7" });
    await again.add("written afterwards", { id: "after" });
    expect(await again.compare()).toMatchObject({ equal: true, compared: 61 });
    await again.close();
  } finally {
    await chroma.stop();
  }
}, 120_000);

/** Files that hold a vector, as it is or brought to length 1, at any offset. */
function filesNear(directory: string, vector: Float32Array): string[] {
  const unit = vector.map((value) => value / Math.hypot(...vector));
  return globSync("**/*", { cwd: directory }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && [vector, unit].some((one) => holds(readFileSync(path), one));
  });
}

function holds(bytes: Buffer, vector: Float32Array): boolean {
  // Looked for by its largest number: most files are full of zeros.
  const most = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  const from = vector.indexOf(most);
  const isNear = (floats: Float32Array, at: number): boolean =>
    vector.every((value, n) => Math.abs((floats[at + n] ?? Number.NaN) - value) <= 1e-5);
  return [0, 1, 2, 3].some((shift) => {
    const whole = Math.max(0, Math.floor((bytes.length - shift) / 4));
    const floats = new Float32Array(new Uint8Array(bytes).buffer.slice(shift, shift + whole * 4));
    return floats.some((value, at) => Math.abs(value - most) <= 1e-5 && isNear(floats, at - from));
  });
}

// Chroma keeps a record in its queue alone until it has been applied: a kill can come in between.
test("what another collection has under the same id stays, also while its server had yet to apply it", async () => {
  const chroma = await startChroma();
  try {
    const memory = openMemory(chroma.dataDirectory);
    await memory.add("the xylophone stands in the quartzroom", { id: "twin" });
    const others = new RawChroma(chroma);
    const collection = await others.create("others", { space: "l2", sync_threshold: 100 });
    const twin = { id: "twin", vector: Float32Array.from([1, 2, 3]), text: "written by others" };
    await others.write("add", collection, [{ ...twin, id: "first" }, twin], 1);
    await memory.forget(["twin"]);
    await memory.close();
    await chroma.kill9();
    unapplyLast(chroma.dataDirectory, collection, "twin");

    compactDirectory(chroma.dataDirectory, ["twin"]);
    await chroma.restart();
    const found = (await new RawChroma(chroma).read(collection)).get("twin");
    expect([found?.text, ...(found?.vector ?? [])]).toEqual([twin.text, ...twin.vector]);
    expect(filesWith(chroma.dataDirectory, "xylophone")).toEqual([]);
  } finally {
    await chroma.stop();
  }
}, 120_000);

/** As a kill leaves it between the queue and what is made from it. */
function unapplyLast(directory: string, collection: string, id: string): void {
  using database = new DatabaseSync(join(directory, "chroma.sqlite3"));
  const { segment } = database
    .prepare("SELECT id AS segment FROM segments WHERE collection = ? AND scope = 'METADATA'")
    .get(collection) as { segment: string };
  const { row } = database
    .prepare("SELECT id AS row FROM embeddings WHERE segment_id = ? AND embedding_id = ?")
    .get(segment, id) as { row: number };
  database.prepare("DELETE FROM embedding_fulltext_search WHERE rowid = ?").run(row);
  for (const table of ["embedding_metadata", "embeddings"])
    database.prepare(`DELETE FROM ${table} WHERE id = ?`).run(row);
  database.prepare("UPDATE max_seq_id SET seq_id = seq_id - 1 WHERE segment_id = ?").run(segment);
}

/** Words of its own for each, so that no two have the same neighbours. */
const textOf = (n: number): string => `${n * 7_919} ${n * 104_729} ${n * 15_485_863} ${n}`;

/** Which memories are not found by their own text. */
async function unfound(memory: Memory, count: number): Promise<number[]> {
  const missed: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const { hits } = await memory.search(textOf(n), { limit: 1 });
    if (hits[0]?.id !== `id-${n}`) missed.push(n);
  }
  return missed;
}

const EVERY = testedBuilds().flatMap((build) =>
  (["cosine", "l2"] as const).map((distance) => ({ ...build, distance })),
);

test.each(EVERY)(
  "nor is its vector, in an index that was persisted ($distance, $name)",
  async ({ command, distance }: { command: readonly string[] | undefined; distance: Distance }) => {
    const chroma = await startChroma(command === undefined ? {} : { command });
    try {
      const embedder = hashEmbedder({ dimension: 64 });
      const store = new ChromaStore({ mode: "server", host: chroma.host, port: chroma.port });
      await store.createCollection({
        name: "memories",
        embedder: await embedder.identity(),
        distance,
        settings: { hnsw: { sync_threshold: 50 } },
      });
      await store.close();
      const memory = openMemory(chroma.dataDirectory);
      const say = (from: number, count: number): Promise<unknown> =>
        memory.addMany(
          Array.from({ length: count }, (_, n) => ({
            id: `id-${from + n}`,
            text: textOf(from + n),
          })),
        );
      await memory.add("the xylophone stands in the quartzroom", { id: "early" });
      await memory.add("the marimba stands in the marbleroom", { id: "late" });
      await say(0, 98);
      // Persisted once with both; a second time after the first of them was deleted.
      await memory.forget(["early"]);
      await say(98, 80);
      await memory.forget(["late"]);
      await memory.close();
      await chroma.kill9();
      const vectors = await embedder.embed([
        "the xylophone stands in the quartzroom",
        "the marimba stands in the marbleroom",
      ]);
      for (const vector of vectors)
        expect(filesNear(chroma.dataDirectory, vector)).toContainEqual(
          expect.stringContaining("data_level0.bin"),
        );

      compactDirectory(chroma.dataDirectory, ["early", "late"]);
      for (const vector of vectors) expect(filesNear(chroma.dataDirectory, vector)).toEqual([]);

      await chroma.restart();
      const again = openMemory(chroma.dataDirectory);
      expect(await again.compare()).toMatchObject({ equal: true, compared: 178, foreign: 0 });
      expect(await unfound(again, 178)).toEqual([]);
      await again.addMany(
        Array.from({ length: 120 }, (_, n) => ({ id: `more-${n}`, text: `more of it ${n}` })),
      );
      expect(await again.compare()).toMatchObject({ equal: true, compared: 298 });
      await again.close();
      await chroma.kill9();
      for (const vector of vectors) expect(filesNear(chroma.dataDirectory, vector)).toEqual([]);
    } finally {
      await chroma.stop();
    }
  },
  120_000,
);
