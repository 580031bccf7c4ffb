import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ChromaStore } from "@holdfast/chroma";
import { drillBackup, readManifest, syncMemory } from "@holdfast/memory";
import { hashEmbedder } from "@holdfast/embedder/testing";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { ChromaClient, type Metadata } from "chromadb";
import { backupsOn, memoryOn, type StoreAddress } from "./support/open-backups.ts";
import { type TestedBuild, testedBuilds } from "./support/server-builds.ts";

/* Collections that another program made with Chroma's own client come back as they were. */

const NAME = "memories";
const HNSW = { ef_construction: 150, ef_search: 77, max_neighbors: 24, sync_threshold: 500 };
const SPACES = ["cosine", "l2", "ip"] as const;
type Space = (typeof SPACES)[number];
const LISTS = { tags: ["harbour", "ferry"], scores: [1, 2.5], flags: [true, false] };

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "holdfast-foreign-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = ({ command }: TestedBuild): Promise<TestChroma> =>
  startChroma(command === undefined ? {} : { command });
const clientOf = ({ host, port }: StoreAddress): ChromaClient => new ChromaClient({ host, port });
const storeOf = ({ host, port }: StoreAddress): ChromaStore =>
  new ChromaStore({ mode: "server", host, port });
/** The newer build takes lists, the older one does not. */
const hasLists = ({ command }: TestedBuild): boolean => command !== undefined;

const vector = (n: number): number[] =>
  Array.from({ length: 64 }, (_, at) => Math.fround(2 * Math.sin(n * 7 + at + 1)));

async function fill(at: StoreAddress, space: Space, lists: boolean): Promise<void> {
  const collection = await clientOf(at).createCollection({
    name: NAME,
    embeddingFunction: null,
    metadata: { owner: "crm", "hnsw:space": space },
    configuration: { hnsw: { space, ...HNSW } },
  });
  const ids = Array.from({ length: 40 }, (_, n) => `doc ${n}`);
  await collection.upsert({
    ids: [...ids, ...(lists ? ["listed"] : [])],
    embeddings: [...ids.map((_, n) => vector(n)), ...(lists ? [vector(99)] : [])],
    documents: [...ids.map((id) => `the text of ${id}`), ...(lists ? ["with lists"] : [])],
    metadatas: [
      ...ids.map((_, n): Metadata => ({
        n,
        score: n / 3,
        even: n % 2 === 0,
        who: `user ${n % 7}`,
      })),
      ...(lists ? [LISTS as Metadata] : []),
    ],
  });
  await fetch(`${await urlOf(at)}/upsert`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ids: ["bare"], embeddings: [vector(77)] }),
  });
}

async function urlOf({ host, port }: StoreAddress, id?: string): Promise<string> {
  const base = `http://${host}:${port}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  return `${base}/${id ?? (await described({ host, port })).id}`;
}

interface Described {
  id: string;
  metadata: unknown;
  configuration_json: unknown;
}

async function described(at: StoreAddress): Promise<Described> {
  const answer = await fetch(await urlOf(at, NAME));
  return (await answer.json()) as Described;
}

interface Columns {
  ids: string[];
  documents: unknown[];
  metadatas: unknown[];
  embeddings: number[][];
}

type Row = [id: string, text: unknown, metadata: unknown, vector: number[]];

interface Everything {
  metadata: unknown;
  configuration_json: unknown;
  rows: Row[];
}

/** All that Chroma gives of a collection, in its own words. */
async function everything(at: StoreAddress): Promise<Everything> {
  const { id, metadata, configuration_json } = await described(at);
  const answer = await fetch(`${await urlOf(at, id)}/get`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ include: ["documents", "metadatas", "embeddings"] }),
  });
  const { ids, documents, metadatas, embeddings } = (await answer.json()) as Columns;
  const rows = ids.map((one, row): Row => [
    one,
    documents[row],
    metadatas[row],
    embeddings[row] ?? [],
  ]);
  return { metadata, configuration_json, rows: rows.toSorted(byId) };
}

const byId = ([a]: Row, [b]: Row): number => (a < b ? -1 : 1);

/** As it was; a vector that is normalised once more may differ by its last bits. */
function alike({ rows, ...form }: Everything, space: Space): unknown {
  const near = (values: number[]): unknown[] => values.map((value) => expect.closeTo(value, 5));
  if (space !== "cosine") return { ...form, rows };
  return { ...form, rows: rows.map(([id, text, said, at]) => [id, text, said, near(at)]) };
}

describe.each(testedBuilds())("on the $name", (build) => {
  test.each(SPACES)(
    "a collection measured by %s is rebuilt, lost or not, as it was",
    async (space) => {
      await using chroma = await start(build);
      await fill(chroma, space, hasLists(build));
      const before = alike(await everything(chroma), space);
      const state = join(folder, "state");
      await syncMemory({ stateDirectory: state, collection: NAME }, { store: storeOf(chroma) });
      await using memory = memoryOn(chroma, state);
      await memory.rebuild();
      expect(await everything(chroma)).toEqual(before);
      await clientOf(chroma).deleteCollection({ name: NAME });
      expect(await memory.rebuild()).toMatchObject({ refused: [] });
      expect(await everything(chroma)).toEqual(before);
    },
  );

  test.each(SPACES)(
    "a backup of one measured by %s is drilled, and restored on another server",
    async (space) => {
      await using here = await start(build);
      await using there = await start(build);
      await fill(here, space, hasLists(build));
      const path = join(folder, "b.yaml");
      await using source = backupsOn(here, join(folder, "here"));
      await source.backup({ output: path });
      expect(readManifest(path).collections[0]?.form).toMatchObject({ distance: space });
      await using target = backupsOn(there, join(folder, "there"));
      expect(await target.restore(await target.plan(path))).toMatchObject({ refused: [] });
      expect(await everything(there)).toEqual(alike(await everything(here), space));
      await using scratch = await start(build);
      const report = await drillBackup(
        path,
        {
          stateDirectory: join(folder, "scratch"),
          store: storeOf(scratch),
          reopen: async () => {
            await scratch.restart();
            return storeOf(scratch);
          },
        },
        hashEmbedder({ dimension: 64 }),
      );
      expect(report).toMatchObject({ refused: [], queries: 20 });
    },
    120_000,
  );

  test("restored on the older build, it names the records that this one cannot hold", async () => {
    await using here = await start(build);
    await using there = await startChroma();
    await fill(here, "l2", hasLists(build));
    const path = join(folder, "b.yaml");
    await using source = backupsOn(here, join(folder, "here"));
    await source.backup({ output: path });
    await using target = backupsOn(there, join(folder, "there"));
    const refused = hasLists(build) ? ["listed"] : [];
    expect(await target.restore(await target.plan(path))).toMatchObject({ others: 41, refused });
    const { rows } = await everything(here);
    expect((await everything(there)).rows).toEqual(rows.filter(([id]) => !refused.includes(id)));
  });
});
