import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endOf, type Lifecycle, type Memory, pruneMemory } from "@holdfast/memory";
import { type Workspace, workspace } from "./fixture.ts";

const DAY = 86_400_000;
const LIFECYCLE: Lifecycle = {
  rules: [
    { tag: "keep", ttlMs: undefined },
    { category: "note", tag: "short", ttlMs: DAY },
    { category: "note", ttlMs: 10 * DAY },
  ],
  defaultMs: 30 * DAY,
};

const content = {
  text: "x",
  metadata: {},
  scope: {},
  tags: [] as string[],
  createdAt: 0,
  updatedAt: 1_000,
  expiresAt: undefined as number | undefined,
};

test.each([
  ["no rule", {}, 1_000 + 30 * DAY],
  ["its category", { metadata: { category: "note" } }, 1_000 + 10 * DAY],
  ["category and tag", { metadata: { category: "note" }, tags: ["short"] }, 1_000 + DAY],
  ["a tag of a rule that wants a category too", { tags: ["short"] }, 1_000 + 30 * DAY],
  ["kept for good, before any other rule", { tags: ["keep", "short"] }, undefined],
  ["its own ttl, before any rule", { tags: ["keep"], expiresAt: 5 }, 5],
])("the end of a memory with %s", (_what, more, end) => {
  expect(endOf({ ...content, ...more }, LIFECYCLE)).toBe(end);
});

const prune = (
  at: Workspace,
  memory: Memory,
  now: number,
  options = {},
): ReturnType<typeof pruneMemory> =>
  pruneMemory(
    { stateDirectory: at.directory, collection: "memories" },
    LIFECYCLE,
    { memory, clock: { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() } },
    options,
  );

async function filled(at: Workspace): Promise<Memory> {
  const memory = at.open();
  await memory.addMany([
    { id: "note", text: "a note", metadata: { category: "note" } },
    { id: "plain", text: "plain" },
    { id: "keep", text: "for good", tags: ["keep"] },
    { id: "own", text: "its own end", ttlMs: 2 * DAY, tags: ["keep"] },
  ]);
  return memory;
}

test("what has aged is forgotten, here and in the store, and nothing else", async () => {
  await using at = workspace();
  const memory = await filled(at);
  const now = Date.now() + 11 * DAY;
  expect(await prune(at, memory, now, { dryRun: true })).toMatchObject({
    checked: 4,
    expired: 1,
    aged: 1,
    sample: ["note", "own"],
  });
  expect(memory.status().mirrored).toBe(4);
  expect(await prune(at, memory, now)).toMatchObject({ expired: 1, aged: 1, reason: undefined });
  expect(
    memory
      .list()
      .memories.map(({ id }) => id)
      .toSorted(),
  ).toEqual(["keep", "plain"]);
  const collection = await at.store.openCollection("memories");
  expect(await collection.count()).toBe(2);
  expect(await prune(at, memory, now)).toMatchObject({ checked: 2, expired: 0, aged: 0 });
});

test("it is archived first, for its owner alone, and stays when it cannot be", async () => {
  await using at = workspace();
  const memory = await filled(at);
  const now = Date.now() + 40 * DAY;
  const blocked = join(at.directory, "blocked");
  writeFileSync(blocked, "");
  await expect(prune(at, memory, now, { archiveFolder: blocked })).rejects.toMatchObject({
    code: "ARCHIVE_FAILED",
  });
  expect(memory.status().mirrored).toBe(4);

  const archiveFolder = join(at.directory, "archive");
  const { archive = "" } = await prune(at, memory, now, { archiveFolder });
  const lines = readFileSync(archive, "utf8").trim().split("\n");
  const kept = lines.map((line) => JSON.parse(line) as { id: string; text: string });
  expect(kept.map(({ id, text }) => [id, text])).toEqual([
    ["note", "a note"],
    ["plain", "plain"],
    ["own", "its own end"],
  ]);
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  expect(statSync(archiveFolder).mode & 0o777).toBe(0o700);
  await prune(at, memory, now, { archiveFolder });
  expect(readdirSync(archiveFolder)).toHaveLength(1);
});

test("an archive that the disk takes only a part of has failed", async () => {
  await using at = workspace();
  const source = new URL("../src/retention/memory-archive.ts", import.meta.url).pathname;
  const program = `
    import { MemoryArchive } from ${JSON.stringify(source)};
    const content = { text: "x".repeat(10_000) };
    new MemoryArchive(process.argv[1], "c", 0).keep([{ id: "a", revision: 1, content }]);`;
  // A limit on the size of files cuts writes short as a full disk does.
  const node = [process.execPath, "--input-type=module", "-e", program, at.directory];
  const run = (limit: string): ReturnType<typeof spawnSync> =>
    spawnSync("bash", ["-c", `ulimit -f ${limit}; exec "$@"`, "-", ...node], { encoding: "utf8" });
  expect(run("4")).toMatchObject({ status: 1, stderr: expect.stringContaining("EFBIG") });
  rmSync(join(at.directory, "c-1970-01-01T00-00-00.000Z.jsonl"));
  expect(run("unlimited")).toMatchObject({ status: 0 });
});

test("with nothing due there is no archive", async () => {
  await using at = workspace();
  const memory = await filled(at);
  const archiveFolder = join(at.directory, "archive");
  const report = await prune(at, memory, Date.now(), { archiveFolder });
  expect(report).toMatchObject({ expired: 0, aged: 0, archive: undefined });
  expect(existsSync(archiveFolder)).toBe(false);
});

test("what is written again meanwhile stays", async () => {
  await using at = workspace();
  const memory = await filled(at);
  const renewing: Memory = {
    ...memory,
    forget: async (ids, options) => {
      await memory.add("written again", { id: "note" });
      return memory.forget(ids, options);
    },
  };
  const report = await prune(at, renewing, Date.now() + 11 * DAY);
  expect(report).toMatchObject({ aged: 0, expired: 1, renewed: 1 });
  expect((await memory.get("note")).memory?.text).toBe("written again");
});
