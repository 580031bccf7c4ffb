import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, jest, test } from "@jest/globals";
import { Database, SqliteError } from "@holdfast/sqlite";
import { letterEmbedder, unavailable, workspace } from "./fixture.ts";

/** Makes every write to a table of the file fail, as a failing disk would. */
function fail(directory: string, table: string): Disposable {
  const db = new DatabaseSync(`${directory}/memory.db`);
  db.exec(`CREATE TRIGGER failing BEFORE UPDATE ON ${table} BEGIN SELECT RAISE(FAIL, 'disk'); END`);
  return {
    [Symbol.dispose]: () => {
      db.exec("DROP TRIGGER failing");
      db.close();
    },
  };
}

test("an embedder that throws anything at all leaves the write accepted, with its receipt", async () => {
  await using space = workspace();
  using warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const broken = {
    ...letterEmbedder(),
    embed: () => Promise.reject(new TypeError("fetch failed")),
  };
  const memory = space.open({}, { embedder: broken });
  const receipt = await memory.add("safe", { id: "x" });
  expect(receipt).toMatchObject({ id: "x", durability: "queued", reason: "fetch failed" });
  expect(warned).toHaveBeenCalledTimes(1);
  await space.open().drain();
  expect(space.store.raw("memories").records.get("x")?.document).toBe("safe");
});

test("a file that cannot be written when the write is applied leaves it accepted", async () => {
  await using space = workspace();
  using warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  let failing: Disposable | undefined;
  const memory = space.open(
    {},
    {
      failpoint: (name) => {
        if (name === "before-mark") failing = fail(space.directory, "entry");
      },
    },
  );
  const receipt = await memory.add("safe", { id: "x" });
  expect(receipt).toMatchObject({ id: "x", durability: "queued", reason: expect.any(String) });
  expect(warned).toHaveBeenCalledTimes(1);
  failing?.[Symbol.dispose]();
  await space.open().drain();
  expect(memory.status().ledger).toMatchObject({ accepted: 1, stored: 1, residual: 0 });
});

test("a lease that cannot be renewed ends the run, not the process", async () => {
  await using space = workspace();
  using warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const memory = space.open({ leaseMs: 30 });
  let failing: Disposable | undefined;
  space.store.setFaults(({ operation, moment }) => {
    if (operation !== "upsert" || moment !== "before") return undefined;
    failing = fail(space.directory, "lease");
    return new Promise(() => {});
  });
  expect(await memory.add("safe", { id: "x" })).toMatchObject({ durability: "queued" });
  expect(warned.mock.calls.length).toBeLessThanOrEqual(1);
  failing?.[Symbol.dispose]();
  space.store.setFaults(undefined);
  await memory.drain();
  expect(memory.status().ledger).toMatchObject({ accepted: 1, stored: 1, residual: 0 });
});

test("only a write that is refused says that nothing was accepted", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("accepted");
  const full = jest.spyOn(Database.prototype, "transaction").mockImplementation(() => {
    throw new SqliteError("no space", { code: "SQLITE_FULL", path: "memory.db" });
  });
  try {
    const refused = { code: "OUTBOX_UNWRITABLE" };
    const nothing = expect.stringContaining("nothing was accepted");
    await expect(memory.add("refused")).rejects.toMatchObject({ ...refused, message: nothing });
    await expect(memory.drain()).rejects.toMatchObject({
      ...refused,
      message: expect.not.stringContaining("accepted"),
    });
  } finally {
    full.mockRestore();
  }
});

// It said that nothing was accepted.
test("forgetting that is accepted stands though the disk does not let it be erased yet", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.addMany(["x", "y"].map((id) => ({ id, text: `xylophone ${id}` })));
  const warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const full = jest.spyOn(Database.prototype, "checkpoint").mockImplementation(() => {
    throw new SqliteError("no space", { code: "SQLITE_FULL", path: "memory.db" });
  });
  expect(await memory.forget(["x"])).toMatchObject({ ids: ["x"], durability: "stored" });
  const changes = { text: "quiet" };
  expect(await memory.update("y", changes, { erase: true })).toMatchObject({ revision: 2 });
  expect(warned).toHaveBeenCalled();
  full.mockRestore();
  warned.mockRestore();
  await memory.drain();
  const bytes = readdirSync(space.directory).map((name) =>
    readFileSync(`${space.directory}/${name}`, "latin1"),
  );
  expect(bytes.join("")).not.toContain("xylophone");
});

test("a read does not fail because its own bookkeeping cannot be written", async () => {
  await using space = workspace();
  using warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  await space.open().add("readable", { id: "x" });
  const reader = space.open();
  using _ = fail(space.directory, "collection");
  expect(await reader.search("readable")).toMatchObject({
    degraded: false,
    hits: [{ text: "readable" }],
  });
  expect((await reader.get("x")).memory).toMatchObject({ text: "readable" });
  expect(warned).toHaveBeenCalled();
});

test("a drainer that lost its lease before it sent leaves nothing to be read back", async () => {
  await using space = workspace();
  const db = new DatabaseSync(`${space.directory}/memory.db`);
  const embedder = letterEmbedder();
  const memory = space.open(
    {},
    {
      embedder: {
        ...embedder,
        embed: (texts) => {
          db.exec("UPDATE lease SET token = 'another', expires_at = expires_at + 60000");
          return embedder.embed(texts);
        },
      },
    },
  );
  await memory.add("never sent by this one", { waitMs: 200 });
  // Its run may take longer than that.
  await memory.close();
  expect(space.open().status().outbox).toMatchObject({ records: 1, unsettled: 0 });
  db.close();
});

test("a drain that shares a run waits for what was accepted before it", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("first", { id: "first" });
  space.store.setFaults(({ operation, moment }) => {
    if (operation === "upsert" && moment === "after") throw unavailable(true);
  });
  await memory.add("second", { id: "second" });
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  space.store.setFaults(({ operation, moment }) => {
    if (operation !== "get" || moment !== "before") return undefined;
    asked.resolve();
    return promise;
  });
  const running = memory.drain();
  await asked.promise;
  await memory.add("third", { id: "third", waitMs: 0 });
  const drained = memory.drain();
  resolve();
  await running;
  expect(await drained).toMatchObject({ queued: 0, stoppedBy: undefined });
});
