import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  type BackupFailpoint,
  listBackups,
  type Memory,
  type NewMemory,
  readManifest,
} from "@holdfast/memory";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { backupsOn, memoryOn } from "./support/open-backups.ts";
import { testedBuilds } from "./support/server-builds.ts";

const FIXTURE = fileURLToPath(new URL("fixtures/backup-process.ts", import.meta.url));
/** The whole proof takes a minute; CI asks for it. */
const COUNT = Number(process.env["HOLDFAST_ROUND_TRIP"] ?? 3_000);

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "holdfast-backup-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ODD = ["\u0000", "🦊", "\u202e", "e\u0301", '"\\', "\r\n\t", "\u2028", "<script>", "'; --"];

function odd(n: number): NewMemory {
  const sign = ODD[n % ODD.length] as string;
  return {
    // No id may hold a NUL.
    id: `id ${sign.replace("\0", "NUL")} ${n}`,
    text: `${sign} memory ${n} ${sign.repeat(n % 40)} of ${n % 97}`,
    metadata: { n, half: n / 2 + 0.1, even: n % 2 === 0, [`key ${sign}`]: `value ${sign}` },
    scope: { user: `user ${n % 7}` },
    tags: [`tag ${n % 5}`],
  };
}

async function filled(memory: Memory, count: number): Promise<void> {
  for (let from = 0; from < count; from += 1_000) {
    const size = Math.min(1_000, count - from);
    await memory.addMany(
      Array.from({ length: size }, (_, n) => odd(from + n)),
      { waitMs: 0 },
    );
    await memory.drain();
  }
}

/** Everything that is remembered, newest first. */
function said(memory: Memory): unknown[] {
  const all: unknown[] = [];
  for (let after: string | undefined; ;) {
    const page = memory.list({ limit: 5_000, ...(after === undefined ? {} : { after }) }).memories;
    all.push(...page.map(({ durability: _durability, ...rest }) => rest));
    after = page.at(-1)?.id;
    if (after === undefined) return all;
  }
}

/** Each id's vector as a backup holds it: its very bits. */
function vectorsIn(path: string): Map<string, string> {
  const data = join(dirname(path), readManifest(path).data?.file ?? "");
  const lines = gunzipSync(readFileSync(data)).toString("utf8").trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const { id, vector } = JSON.parse(line) as { id: string; vector: string };
      return [id, vector];
    }),
  );
}

test(`${COUNT} odd memories come back on another server, equal to the last value`, async () => {
  await using here = await startChroma();
  await using there = await startChroma();
  await using memory = memoryOn(here, join(folder, "here"));
  await filled(memory, COUNT);
  const path = join(folder, "b.yaml");
  await using source = backupsOn(here, join(folder, "here"));
  expect(await source.backup({ output: path, compression: "gzip" })).toMatchObject({
    memories: COUNT,
    others: 0,
  });
  await using target = backupsOn(there, join(folder, "there"));
  const report = await target.restore(await target.plan(path));
  expect(report).toMatchObject({ memories: COUNT, embedded: 0, refused: [], pending: undefined });
  await using restored = memoryOn(there, join(folder, "there"));
  expect(said(restored)).toEqual(said(memory));
  // Text, metadata, revision, and the vector within 1e-6, of each, read out of Chroma.
  expect(await restored.compare()).toMatchObject({ equal: true, compared: COUNT, foreign: 0 });
  // In the mirror vectors are bit-equal.
  const again = join(folder, "again.yaml");
  await target.backup({ output: again, compression: "gzip" });
  const vectors = vectorsIn(path);
  expect(vectors.size).toBe(COUNT);
  expect(vectorsIn(again)).toEqual(vectors);
}, 900_000);

interface Ended {
  signal: NodeJS.Signals | null;
  report: Record<string, unknown> | undefined;
}

function run(chroma: TestChroma, what: "backup" | "restore", dieAt?: BackupFailpoint): Ended {
  const { host, port } = chroma;
  const settings = {
    host,
    port,
    do: what,
    stateDirectory: join(folder, "state"),
    path: join(folder, "backups/b.yaml"),
    ...(dieAt === undefined ? {} : { dieAt }),
  };
  const { signal, stdout } = spawnSync(
    process.execPath,
    ["--conditions=@holdfast/source", FIXTURE, JSON.stringify(settings)],
    { encoding: "utf8", timeout: 120_000 },
  );
  return { signal, report: stdout === "" ? undefined : JSON.parse(stdout) };
}

test("killed at any point, a backup and a restore leave the state before or the one after", async () => {
  await using chroma = await startChroma();
  await using memory = memoryOn(chroma, join(folder, "state"));
  await filled(memory, 700);
  for (const point of ["data-written", "manifest-written", "data-in-place"] as const) {
    expect(run(chroma, "backup", point).signal).toBe("SIGKILL");
    expect(listBackups(join(folder, "backups")).backups).toEqual([]);
  }
  expect(run(chroma, "backup", "in-place").signal).toBe("SIGKILL");
  await using backups = backupsOn(chroma, join(folder, "state"));
  expect(await backups.verify(join(folder, "backups/b.yaml"))).toMatchObject({ memories: 700 });
  const before = said(memory);
  await memory.add("since then", { id: "since" });
  await memory.update("id NUL 0", { text: "changed since then" });
  let after = said(memory);

  const early = ["store-half-filled", "memories-staged", "store-filled", "compared"] as const;
  for (const point of early) {
    expect(run(chroma, "restore", point).signal).toBe("SIGKILL");
    expect(said(memory)).toEqual(after);
    // Another write makes the next attempt begin anew, and pass this point again.
    await memory.update("since", { text: `since then, and ${point}` });
    after = said(memory);
    expect((await memory.search("since then")).degraded).toBe(false);
  }
  const { report } = run(chroma, "restore", "swap-decided");
  expect(report).toBeUndefined();
  await memory.drain();
  const withoutRevision = (list: unknown[]): unknown[] =>
    list.map((one) => ({ ...(one as object), revision: 0 }));
  expect(withoutRevision(said(memory))).toEqual(withoutRevision(before));
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 700, foreign: 0 });
  await backups.undo(backups.planUndo());
  expect(withoutRevision(said(memory))).toEqual(withoutRevision(after));
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 701 });
  expect(run(chroma, "restore", "swapped").signal).toBe("SIGKILL");
  expect((await memory.search("since then")).degraded).toBe(false);
  expect(withoutRevision(said(memory))).toEqual(withoutRevision(before));
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 700, foreign: 0 });
}, 300_000);

const worldOf = (texts: readonly (string | undefined)[]): string =>
  [...new Set(texts.map((text) => text?.split(":")[0]))].join(" and ");

test("readers see the old state or the new one, never half, while it is restored and undone", async () => {
  await using chroma = await startChroma();
  const state = join(folder, "state");
  await using memory = memoryOn(chroma, state);
  const ids = Array.from({ length: 300 }, (_, n) => `m${n}`);
  const write = async (world: string): Promise<void> => {
    await memory.addMany(
      ids.map((id) => ({ id, text: `${world}: the state of the world at ${id}` })),
      { waitMs: 0 },
    );
    await memory.drain();
  };
  await write("old");
  const path = join(folder, "b.yaml");
  await using backups = backupsOn(chroma, state);
  await backups.backup({ output: path });
  await write("new");

  /** Another process's memory, as far as its handles go. */
  await using reader = memoryOn(chroma, state);
  const readWhile = async (work: () => Promise<unknown>): Promise<string[]> => {
    const seen = new Set<string>();
    const read = async (n: number): Promise<void> => {
      const { hits } = await reader.search("the state of the world", { limit: 50 });
      seen.add(worldOf(hits.map(({ text }) => text)));
      seen.add(worldOf(reader.list({ limit: 1_000 }).memories.map(({ text }) => text)));
      seen.add(worldOf([(await reader.get(`m${n}`)).memory?.text]));
      // A degraded answer waits for nothing, and we share the event loop with the restore.
      await new Promise((resolve) => setImmediate(resolve));
    };
    await read(0);
    const over = new AbortController();
    const readers = [1, 2, 3].map(async (n) => {
      while (!over.signal.aborted) await read(n);
      await read(n);
    });
    await work().finally(() => over.abort());
    await Promise.all(readers);
    return [...seen].toSorted();
  };
  const plan = await backups.plan(path);
  expect(await readWhile(() => backups.restore(plan))).toEqual(["new", "old"]);
  expect(await readWhile(() => backups.undo(backups.planUndo()))).toEqual(["new", "old"]);
  expect((await reader.search("the state of the world")).degraded).toBe(false);
}, 120_000);

test.each(testedBuilds())(
  "a backup made with the older server is restored on the $name",
  async ({ command }) => {
    await using here = await startChroma();
    await using there = await startChroma(command === undefined ? {} : { command });
    await using memory = memoryOn(here, join(folder, "here"));
    await filled(memory, 300);
    const path = join(folder, "b.yaml");
    await using source = backupsOn(here, join(folder, "here"));
    await source.backup({ output: path });
    await using target = backupsOn(there, join(folder, "there"));
    await target.restore(await target.plan(path));
    await using restored = memoryOn(there, join(folder, "there"));
    expect(said(restored)).toEqual(said(memory));
    expect(await restored.compare()).toMatchObject({ equal: true, compared: 300 });
    expect((await restored.search("memory 7")).degraded).toBe(false);
  },
  300_000,
);
