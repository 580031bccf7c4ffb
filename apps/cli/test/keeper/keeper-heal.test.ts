import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, jest, test } from "@jest/globals";
import { inspectDataDirectory, readServerRecord, statePathsOf } from "@holdfast/chroma";
import { RecoveryJournal } from "@holdfast/recovery";
import { isRunning } from "@holdfast/sqlite";
import { until } from "@holdfast/testkit";
import { keeperStatus } from "../../src/keeper/keeper-status.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

jest.setTimeout(300_000);

const SEGMENT = /^[0-9a-f-]{36}$/;

/** What a kill in the middle of a persist leaves: links on the disk, and no pickle beside them. */
function tear(dataDirectory: string): void {
  for (const segment of readdirSync(dataDirectory).filter((name) => SEGMENT.test(name))) {
    rmSync(join(dataDirectory, segment, "index_metadata.pickle"), { force: true });
    writeFileSync(join(dataDirectory, segment, "link_lists.bin"), "torn");
  }
}

async function remember(workspace: KeeperWorkspace, count: number): Promise<void> {
  await workspace.ensure();
  const { memory } = await workspace.open();
  await memory.addMany(
    Array.from({ length: count }, (_, i) => ({ id: `m${i}`, text: `memory ${i}` })),
    { waitMs: 0 },
  );
  await until("stored memories", () => memory.status().ledger.queued === 0);
}

/** How many memories the store holds exactly as the mirror does; -1 when one differs. */
async function whole(workspace: KeeperWorkspace): Promise<number> {
  const { memory } = await workspace.open();
  const { compared, equal } = await memory.compare();
  return equal ? compared : -1;
}

test("a torn index is moved aside before the server starts, and rebuilt from the mirror", async () => {
  await using workspace = new KeeperWorkspace();
  await remember(workspace, 12);
  const forgotten = await workspace.open();
  await forgotten.memory.forget(["m3"], { waitMs: 0 });
  await workspace.stop();
  tear(workspace.dataDirectory);
  expect(inspectDataDirectory(workspace.dataDirectory).damaged).toBe(true);

  await workspace.ensure();
  await expect(whole(workspace)).resolves.toBe(11);
  const { quarantine } = statePathsOf(workspace.dataDirectory);
  const [kept] = readdirSync(quarantine);
  expect(inspectDataDirectory(join(quarantine, kept as string, "data")).damaged).toBe(true);
});

test("a torn index that a killed server leaves is healed while others wait", async () => {
  await using workspace = new KeeperWorkspace();
  await remember(workspace, 5);
  const use = await workspace.ensure();
  const { incarnation } = await use.endpoint();
  const { pid } = readServerRecord(workspace.dataDirectory) ?? {};
  process.kill(pid as number, "SIGSTOP");
  tear(workspace.dataDirectory);
  process.kill(pid as number, "SIGKILL");
  await until("the end", () => !isRunning(pid as number));
  await until("a healed store", () => {
    const state = keeperStatus(workspace.dataDirectory);
    return state?.phase === "ready" && existsSync(statePathsOf(workspace.dataDirectory).quarantine);
  });
  expect((await (await workspace.ensure()).endpoint()).incarnation).not.toBe(incarnation);
  await expect(whole(workspace)).resolves.toBe(5);
});

test("a directory that vanished is rebuilt", async () => {
  await using workspace = new KeeperWorkspace();
  await remember(workspace, 7);
  await workspace.stop();
  rmSync(workspace.dataDirectory, { recursive: true });
  await workspace.ensure();
  await expect(whole(workspace)).resolves.toBe(7);
});

test("a collection that somebody deleted is missed, and made anew unasked", async () => {
  await using workspace = new KeeperWorkspace();
  await workspace.ensure({ healthIntervalMs: 300 });
  await remember(workspace, 6);
  const { store } = await workspace.open();
  await store.deleteCollection("notes");
  const { stateDirectory } = statePathsOf(workspace.dataDirectory);
  using journal = RecoveryJournal.open(join(stateDirectory, "recovery.db"));
  await until("a recovery", () => journal.incidents()[0]?.state === "recovered", 90_000);
  await expect(whole(workspace)).resolves.toBe(6);
});

test("what only the store holds is salvaged, and what was damaged is kept", async () => {
  await using workspace = new KeeperWorkspace();
  await remember(workspace, 3);
  const { store } = await workspace.open();
  const theirs = await store.createCollection({
    name: "theirs",
    embedder: { provider: "p", model: "m", dimension: 2 },
  });
  const embedding = new Float32Array([1, 2]);
  await theirs.upsert([{ id: "precious", document: "x", metadata: {}, embedding }]);
  await workspace.stop();
  tear(workspace.dataDirectory);

  await workspace.ensure();
  const { store: healed } = await workspace.open();
  const collection = await healed.openCollection("theirs");
  expect(await collection.get(["precious"])).toMatchObject([{ id: "precious", document: "x" }]);
  await expect(whole(workspace)).resolves.toBe(3);
  expect(readdirSync(statePathsOf(workspace.dataDirectory).quarantine)).toHaveLength(1);
  const { stateDirectory } = statePathsOf(workspace.dataDirectory);
  using journal = RecoveryJournal.open(join(stateDirectory, "recovery.db"));
  expect(journal.incidents()).toMatchObject([{ state: "recovered", service: "store" }]);
});

test("what can neither be moved aside nor repaired is left as it is, and said", async () => {
  await using workspace = new KeeperWorkspace();
  await remember(workspace, 3);
  await workspace.stop();
  const catalogue = join(workspace.dataDirectory, "chroma.sqlite3");
  truncateSync(catalogue, 100);
  writeFileSync(workspace.configFile, "\nrecovery: {risk_max: none, backoff_max: 0}\n", {
    flag: "a",
  });
  const before = readdirSync(workspace.dataDirectory).toSorted();
  await expect(workspace.ensure()).rejects.toMatchObject({ code: "HEAL_REFUSED" });
  expect(readdirSync(workspace.dataDirectory).toSorted()).toEqual(before);
  expect(keeperStatus(workspace.dataDirectory)).toMatchObject({ running: false, phase: "stopped" });
});
