import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { seededRandom } from "@holdfast/core";
import { type Memory, readManifest } from "@holdfast/memory";
import { letterEmbedder } from "../fixture.ts";
import { type BackupWorkspace, backupWorkspace, remembered } from "./backup-fixture.ts";

const SEED = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000);

const WRITTEN = ["written"];

/** What the writer wrote; the rest stays as it is. */
const written = (memory: Memory): string =>
  JSON.stringify(Object.entries(remembered(memory, { tags: WRITTEN })));

/** Writes at random until told to stop, and keeps every state that there was. */
class RandomWriter {
  readonly states: string[] = [];
  readonly #memory: Memory;
  readonly #random = seededRandom(SEED);
  #stopped = false;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  async run(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const id = `m${Math.floor(this.#random.next() * 60)}`;
      const known = (await this.#memory.get(id)).memory !== undefined;
      const dice = this.#random.next();
      if (known && dice < 0.3) await this.#memory.forget([id], { waitMs: 0 });
      else if (known) await this.#memory.update(id, { text: `update ${n}` }, { waitMs: 0 });
      else await this.#memory.add(`add ${n}`, { id, tags: WRITTEN, waitMs: 0 });
      this.states.push(written(this.#memory));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

test(`a backup under writes is one state that there was, whole (seed ${SEED})`, async () => {
  await using here = backupWorkspace();
  await using there = backupWorkspace();
  const memory = here.open();
  // Enough that the backup is read over many turns of the writer.
  const filler = Array.from({ length: 2_000 }, (_, n) => ({ id: `f${n}`, text: `filler ${n}` }));
  await memory.addMany(filler);
  const writer = new RandomWriter(memory);
  const running = writer.run();
  const output = join(here.folder, "b.yaml");
  const atStart = writer.states.length;
  await here.backups().backup({ output });
  writer.stop();
  await running;
  expect(writer.states.length).toBeGreaterThan(atStart + 5);
  const backups = there.backups();
  await backups.restore(await backups.plan(output));
  expect(["[]", ...writer.states]).toContain(written(there.open()));
  expect(there.open().status().mirrored).toBeGreaterThanOrEqual(filler.length);
}, 120_000);

// The manifest named the restored collection's model for the vectors of the one before.
test("what is restored while it is backed up is in no backup half", async () => {
  await using space = backupWorkspace();
  await space.open().addMany(["a", "b"].map((id) => ({ id, text: id })));
  const before = join(space.folder, "before.yaml");
  await space.backups().backup({ output: before });
  const other = space.backups({ embedder: letterEmbedder("other") });
  const plan = await other.plan(before, { reEmbed: true });
  const open = space.store.openCollection.bind(space.store);
  let restoring: Promise<unknown> | undefined;
  space.store.openCollection = async (...args) => {
    await (restoring ??= other.restore(plan));
    return open(...args);
  };
  const output = join(space.folder, "b.yaml");
  await expect(space.backups().backup({ output })).rejects.toMatchObject({
    code: "BACKUP_BUSY",
    retryable: true,
  });
  await other.backup({ output });
  expect(readManifest(output).collections).toMatchObject([{ embedder: { model: "other" } }]);
});

const worldOf = (texts: readonly string[]): string =>
  [...new Set(texts.map((text) => text.split(":")[0]))].join(" and ");

/** What readers saw before, while and after `work` was done: of which world each answer was. */
async function readWhile(
  space: BackupWorkspace,
  work: () => Promise<unknown>,
): Promise<Set<string>> {
  const memory = space.open();
  const seen = new Set<string>();
  const over = new AbortController();
  const read = async (n: number): Promise<void> => {
    const { hits } = await memory.search("state of the world", { limit: 100 });
    seen.add(worldOf(hits.map(({ text }) => text)));
    seen.add(worldOf(memory.list({ limit: 1_000 }).memories.map(({ text }) => text)));
    seen.add(worldOf([(await memory.get(`m${n}`)).memory?.text ?? "nothing"]));
    await new Promise((resolve) => setImmediate(resolve));
  };
  await read(0);
  const readers = [1, 2, 3].map(async (n) => {
    while (!over.signal.aborted) await read(n);
    await read(n);
  });
  await work().finally(() => over.abort());
  await Promise.all(readers);
  return seen;
}

test("readers see the old state or the new one, never half, while it is restored and undone", async () => {
  await using space = backupWorkspace();
  const memory = space.open();
  const ids = Array.from({ length: 60 }, (_, n) => `m${n}`);
  await memory.addMany(ids.map((id) => ({ id, text: `old: state of the world ${id}` })));
  const path = join(space.folder, "b.yaml");
  await space.backups().backup({ output: path });
  await memory.addMany(ids.map((id) => ({ id, text: `new: state of the world ${id}` })));
  const backups = space.backups();
  const plan = await backups.plan(path);
  expect([...(await readWhile(space, () => backups.restore(plan)))].toSorted()).toEqual([
    "new",
    "old",
  ]);
  const undone = await readWhile(space, () => backups.undo(backups.planUndo()));
  expect([...undone].toSorted()).toEqual(["new", "old"]);
}, 60_000);
