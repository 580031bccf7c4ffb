import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import {
  ChromaStore,
  inspectDataDirectory,
  managedEndpoint,
  ManagedServer,
  statePathsOf,
} from "@holdfast/chroma";
import { isRunning, KernelLock } from "@holdfast/sqlite";
import { startChroma, startFixture, until } from "@holdfast/testkit";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(120_000);

const OWNER = new URL("fixtures/server-owner.ts", import.meta.url);
const FOREVER_MS = "600000";

let scratch: string;
let data: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-managed-"));
  data = join(scratch, "data");
});

afterEach(async () => {
  await new ManagedServer({ dataDirectory: data, lockWaitMs: 60_000 }).evict();
  rmSync(scratch, { recursive: true, force: true });
});

test("of processes that start a server at once, one does, and one server runs", async () => {
  const managers = Array.from({ length: 4 }, () => startFixture(OWNER, [data, FOREVER_MS]));
  try {
    const said = await Promise.all(managers.map((manager) => manager.nextLine()));
    const pids = said.filter((line) => /^\d+$/.test(line));
    expect(pids).toHaveLength(1);
    expect(said.filter((line) => line === "SERVER_LOCKED")).toHaveLength(3);
    expect(isRunning(Number(pids[0]))).toBe(true);
  } finally {
    for (const manager of managers) await manager.stop();
  }
});

test("a server whose manager was killed is adopted with what it holds", async () => {
  const manager = startFixture(OWNER, [data, FOREVER_MS]);
  const pid = Number(await manager.nextLine());
  await manager.stop();
  expect(isRunning(pid)).toBe(true);
  await using server = new ManagedServer({ dataDirectory: data });
  await expect(server.start()).resolves.toMatchObject({ pid, adopted: true });
  await server.stop();
  expect(isRunning(pid)).toBe(false);
});

test("a server that nobody adopts ends itself", async () => {
  const manager = startFixture(OWNER, [data, "1000"]);
  const pid = Number(await manager.nextLine());
  await manager.stop();
  await until("the orphan's end", () => !isRunning(pid));
  // Its first thread ends before the one that holds the lock.
  using lock = KernelLock.tryAcquire(statePathsOf(data).serverLock, 60_000);
  expect(lock).toBeDefined();
});

test("as long as the server lives its lock says so, to other containers too", async () => {
  await using server = new ManagedServer({ dataDirectory: data });
  const { pid } = await server.start();
  expect(KernelLock.isHeld(statePathsOf(data).serverLock)).toBe(true);
  process.kill(pid, "SIGKILL");
  await until("the lock's release", () => !KernelLock.isHeld(statePathsOf(data).serverLock));
  expect(isRunning(pid)).toBe(false);
});

test("whole directories are never called damaged: empty, small, persisted, deleted from", async () => {
  await using server = new ManagedServer({ dataDirectory: data });
  await server.start();
  const store = new ChromaStore({ mode: "managed", endpoint: managedEndpoint(data) });
  const embedder = { provider: "test", model: "random", dimension: 8 };
  for (const [name, count] of [
    ["empty", 0],
    ["small", 5],
    ["persisted", 1_300],
  ] as const) {
    const collection = await store.createCollection({ name, embedder });
    const records = Array.from({ length: count }, (_, i) => ({
      id: `${name}-${i}`,
      document: `text ${i}`,
      metadata: {},
      embedding: new Float32Array(8).map(() => Math.random() - 0.5),
    }));
    if (count > 0) await collection.upsert(records);
    await collection.delete(records.slice(0, 3).map(({ id }) => id));
  }
  await server.stop();
  const { findings, collections } = inspectDataDirectory(data);
  expect(findings).toEqual([]);
  const sizes = Object.fromEntries((collections ?? []).map(({ name, ids }) => [name, ids.size]));
  expect(sizes).toEqual({ empty: 0, small: 2, persisted: 1_297 });

  await server.start();
  for (const name of ["empty", "small", "persisted"]) await store.deleteCollection(name);
  await server.stop();
  expect(inspectDataDirectory(data).damaged).toBe(false);
  await store.close();
});

test("the fixture of tests: killed, paused, started again, and nothing left", async () => {
  const chroma = await startChroma();
  const { incarnation, pid } = chroma;
  await chroma.kill9();
  expect(isRunning(pid)).toBe(false);
  await chroma.restart();
  expect(chroma.incarnation).not.toBe(incarnation);
  const second = chroma.pid;
  chroma.pause();
  await chroma.stop();
  expect(isRunning(second)).toBe(false);
});
