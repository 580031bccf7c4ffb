import { DatabaseSync } from "node:sqlite";
import { expect, test } from "@jest/globals";
import { workspace } from "./fixture.ts";

function totals(directory: string): Record<string, unknown> {
  const db = new DatabaseSync(`${directory}/memory.db`, { readOnly: true });
  const row = db
    .prepare(
      `SELECT (SELECT count(*) FROM entry WHERE state = 'stored') AS kept,
         (SELECT coalesce(sum(bytes), 0) FROM entry WHERE state = 'stored') - kept_bytes AS bytesOff,
         (SELECT count(*) FROM entry WHERE state = 'stored') - kept_records AS recordsOff,
         (SELECT coalesce(sum(bytes), 0) FROM entry WHERE state = 'queued') - queued_bytes AS queuedOff
       FROM collection`,
    )
    .get();
  db.close();
  return { ...row };
}

test("a drain that stores thousands keeps no more of them than the bound", async () => {
  await using space = workspace();
  const memory = space.open({ outbox: { keptRecordsMax: 10 } });
  const items = Array.from({ length: 3_500 }, (_, n) => ({ text: `memory ${n}` }));
  await memory.addMany(items, { waitMs: 0 });
  await memory.drain();
  expect(totals(space.directory)).toEqual({ kept: 10, bytesOff: 0, recordsOff: 0, queuedOff: 0 });
});

test("keeps to the bound in bytes whatever the sizes", async () => {
  await using space = workspace();
  const memory = space.open({ outbox: { keptBytesMax: 3_000 } });
  for (const length of [1, 1, 1, 1, 2_000, 2_000]) await memory.add("x".repeat(length));
  const db = new DatabaseSync(`${space.directory}/memory.db`, { readOnly: true });
  const { kept_bytes: bytes } = db.prepare("SELECT kept_bytes FROM collection").get() as {
    kept_bytes: number;
  };
  db.close();
  expect(bytes).toBeLessThanOrEqual(3_000);
  expect(bytes).toBeGreaterThan(0);
});

test("one large call does not pass the bound in bytes; nothing of it is accepted", async () => {
  await using space = workspace();
  const memory = space.open({ outbox: { bytesMax: 10_000 } });
  const items = Array.from({ length: 4 }, () => ({ text: "x".repeat(5_000) }));
  await expect(memory.addMany(items, { waitMs: 0 })).rejects.toMatchObject({ code: "OUTBOX_FULL" });
  expect(memory.status()).toMatchObject({ mirrored: 0, outbox: { records: 0, bytes: 0 } });
});

test("a page after a memory that is gone says so, instead of beginning again", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.addMany(["a", "b", "c"].map((id) => ({ id, text: id })));
  await memory.forget(["b"]);
  expect(() => memory.list({ after: "b" })).toThrow(
    expect.objectContaining({ code: "MEMORY_NOT_FOUND" }),
  );
});
