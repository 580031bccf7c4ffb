import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { NewMemory } from "@holdfast/memory";
import { letterEmbedder, unavailable } from "../fixture.ts";
import { backupWorkspace, remembered } from "./backup-fixture.ts";

const ODD: NewMemory[] = [
  { text: "zero\u0000inside", id: "nul" },
  { text: "line\nbreak\r\nand\u2028more", id: "line\nid" },
  { text: "🦊 emoji, ü, \u202eright to left, e\u0301", id: "🦊" },
  { text: '{"t":"removed","id":"nul"}\n', id: "../../etc/passwd" },
  {
    text: "metadata",
    id: "metadata",
    metadata: { __proto: 1, "a b": "c\n", n: 0.1, tiny: 5e-324, yes: true, no: false, empty: "" },
    scope: { user: "ada", project: "p\u0000q" },
    tags: ["z", "a", "ö"],
    ttlMs: 1e9,
  },
  { text: "x".repeat(200_000), id: "long" },
];

test("a backup brings back ids, texts, metadata and vectors, odd ones too, elsewhere", async () => {
  await using here = backupWorkspace();
  await using there = backupWorkspace();
  const memory = here.open();
  await memory.addMany(ODD);
  const path = join(here.folder, "all.yaml");
  const made = await here.backups().backup({ output: path });
  expect(made).toMatchObject({ memories: ODD.length, written: ODD.length, partial: undefined });
  for (const file of [path, join(here.folder, `all.${made.id.slice(0, 8)}.jsonl.zst`)])
    expect(statSync(file).mode & 0o777).toBe(0o600);

  const backups = there.backups();
  const plan = await backups.plan(path);
  expect(plan.difference).toMatchObject({ added: ODD.length, changed: 0, removed: 0 });
  const report = await backups.restore(plan);
  expect(report).toMatchObject({ memories: ODD.length, refused: [], pending: undefined });
  const restored = there.open();
  expect(remembered(restored)).toEqual(remembered(memory));
  expect(there.embedder.embedded).toEqual([]);
  for (const [id, record] of here.store.raw("memories").records)
    expect(there.store.raw("memories").records.get(id)?.embedding).toEqual(record.embedding);
  expect(await restored.compare()).toMatchObject({ equal: true, compared: ODD.length });
  expect(await there.backups().verify(path)).toMatchObject({ memories: ODD.length, chain: 1 });
});

test("the manifest is YAML that says what is in it, and is its own seal", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("Ada prefers tea");
  const path = join(space.folder, "b.yaml");
  await space.backups().backup({
    output: path,
    configuration: { file: "holdfast.yaml", text: "config_version: 1\n" },
    policies: [{ file: "policies/a.yaml", text: "name: a\n" }],
    createdBy: "holdfast 1.2.3",
  });
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(/^kind: full$/m);
  expect(text).toMatch(/^ {4}memories: 1$/m);
  expect(text).toMatch(/^ {6}model: letters$/m);
  expect(text).toMatch(/created_by: holdfast 1\.2\.3, Node/);
  expect(text).toMatch(/config_version: 1/);
  expect(text).toMatch(/name: a/);
  expect(text).not.toContain("tea");
  expect(text).toMatch(/\nchecksum: sha256:[0-9a-f]{64}\n$/);
});

test("what others wrote into the collection comes back as they wrote it", async () => {
  await using here = backupWorkspace();
  await using there = backupWorkspace();
  await here.open().add("ours", { id: "ours" });
  const { records } = here.store.raw("memories");
  const ours = records.get("ours");
  const embedding = new Float32Array(16).fill(0.5);
  records.set("theirs", { ...ours!, document: null, metadata: { k: 1 }, embedding });
  const path = join(here.folder, "b.yaml");
  expect(await here.backups().backup({ output: path })).toMatchObject({ memories: 1, others: 1 });
  const backups = there.backups();
  expect(await backups.restore(await backups.plan(path))).toMatchObject({ memories: 1, others: 1 });
  const back = there.store.raw("memories").records.get("theirs");
  expect(back).toMatchObject({ metadata: { k: 1 } });
  expect(back?.embedding).toEqual(embedding);
});

// A line of 16 MiB was the longest that could be read back, so that no backup could be made at all.
test("a record of another program nearly as long as Chroma takes any comes back", async () => {
  await using here = backupWorkspace();
  await using there = backupWorkspace();
  await here.open().add("ours", { id: "ours" });
  const { records } = here.store.raw("memories");
  const document = "x".repeat(30 * 2 ** 20);
  records.set("theirs", { ...records.get("ours")!, document, metadata: { k: 1 } });
  const path = join(here.folder, "b.yaml");
  expect(await here.backups().backup({ output: path })).toMatchObject({ memories: 1, others: 1 });
  const backups = there.backups();
  const report = await backups.restore(await backups.plan(path));
  expect(report).toMatchObject({ others: 1, refused: [] });
  const back = there.store.raw("memories").records.get("theirs");
  expect(back?.document === document).toBe(true);
});

test.each([false, true])(
  "a collection of others' vectors, of another length, comes back (a write of ours refused: %s)",
  async (isRefused) => {
    await using here = backupWorkspace();
    await using there = backupWorkspace();
    const embedder = { provider: "other", model: "other", dimension: 3 };
    const theirs = await here.store.createCollection({ name: "memories", embedder });
    const embedding = new Float32Array([1, 2, 3]);
    await theirs.upsert([{ id: "a", document: "the harbour", metadata: { k: 1 }, embedding }]);
    const memory = here.open();
    // Whoever has tried has noted his own model.
    await expect(memory.search("harbour")).rejects.toMatchObject({ code: "EMBEDDER_MISMATCH" });
    if (isRefused) await memory.add("ours", { id: "ours", waitMs: 0 });
    const path = join(here.folder, "b.yaml");
    expect(await here.backups().backup({ output: path })).toMatchObject({ others: 1 });
    for (const space of [there, here]) {
      const backups = space.backups();
      expect(await backups.restore(await backups.plan(path))).toMatchObject({
        memories: isRefused ? 1 : 0,
        others: 1,
        refused: [],
      });
      expect(space.store.raw("memories").records.get("a")).toMatchObject({ metadata: { k: 1 } });
      await backups.undo(backups.planUndo());
      await backups.undo(backups.planUndo());
      expect(space.store.raw("memories").records.get("a")?.embedding).toEqual(embedding);
    }
  },
);

test("without the store it backs up what this machine holds, and says that it is partial", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  await memory.add("stored");
  space.store.setFaults(() => {
    throw unavailable();
  });
  await memory.add("queued", { waitMs: 0 });
  const made = await space.backups().backup({ output: join(space.folder, "b.yaml") });
  expect(made).toMatchObject({ memories: 2, queued: 1 });
  expect(made.partial).toMatch(/the store is down/);
  await using there = backupWorkspace();
  const backups = there.backups();
  await backups.restore(await backups.plan(made.path));
  expect(Object.keys(remembered(there.open()))).toHaveLength(2);
});

test("another embedder is refused, with the way out; re-embedding is it", async () => {
  await using here = backupWorkspace();
  await here.open().add("Ada prefers tea");
  const path = join(here.folder, "b.yaml");
  await here.backups().backup({ output: path });
  await using there = backupWorkspace();
  const embedder = letterEmbedder("other");
  const backups = there.backups({ embedder });
  await expect(backups.plan(path)).rejects.toMatchObject({
    code: "EMBEDDER_MISMATCH",
    hint: expect.stringContaining("--re-embed"),
  });
  const report = await backups.restore(await backups.plan(path, { reEmbed: true }));
  expect(report.embedded).toBe(1);
  expect(embedder.embedded).toEqual(["Ada prefers tea"]);
  const memory = there.open({}, { embedder });
  expect((await memory.search("tea")).hits).toHaveLength(1);
});

test("a backup takes the place of none that is there, unless it is told to", async () => {
  await using space = backupWorkspace();
  await space.open().add("one");
  const path = join(space.folder, "b.yaml");
  const backups = space.backups();
  await backups.backup({ output: path });
  await expect(backups.backup({ output: path })).rejects.toMatchObject({ code: "BACKUP_EXISTS" });
  await backups.backup({ output: path, overwrite: true, compression: "gzip" });
  expect(await backups.verify(path)).toMatchObject({ memories: 1 });
});

test("a backup that could not be read again is none", async () => {
  await using space = backupWorkspace();
  const output = join(space.folder, "b.yaml");
  const large = { file: "policies/large.yaml", text: `# ${"x".repeat(1 << 20)}\n` };
  const request = { output, policies: [large] };
  await expect(space.backups().backup(request)).rejects.toMatchObject({ code: "BACKUP_FAILED" });
  expect(readdirSync(space.folder).filter((name) => !name.endsWith(".lock"))).toEqual([]);
});
