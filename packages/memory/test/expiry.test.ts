import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type Clock, systemClock } from "@holdfast/core";
import { unavailable, workspace } from "./fixture.ts";

function clock(): Clock & { byMs: number } {
  return {
    ...systemClock,
    byMs: 0,
    now() {
      return Date.now() + this.byMs;
    },
  };
}

test("a full outbox drains although memories have expired meanwhile", async () => {
  await using space = workspace();
  const time = clock();
  const memory = space.open({ outbox: { recordsMax: 2 } }, { clock: time });
  await memory.add("short-lived", { ttlMs: 1_000 });
  await memory.add("one", { waitMs: 0 });
  await memory.add("two", { waitMs: 0 });
  time.byMs = 5_000;
  expect(await memory.drain()).toMatchObject({ queued: 0, stoppedBy: undefined });
  await memory.drain();
  expect(memory.status()).toMatchObject({ mirrored: 2, ledger: { stored: 4, residual: 0 } });
});

test("forgetting by filter reaches what has expired and is still on the disk", async () => {
  await using space = workspace();
  const time = clock();
  const memory = space.open({}, { clock: time });
  await memory.add("xylophone", { id: "x", scope: { user: "ada" }, ttlMs: 1_000 });
  time.byMs = 5_000;
  expect(await memory.forget({ scope: { user: "ada" } })).toMatchObject({ ids: ["x"] });
  const bytes = readdirSync(space.directory).map((name) =>
    readFileSync(join(space.directory, name)).toString("latin1"),
  );
  expect(bytes.some((content) => content.includes("xylophone"))).toBe(false);
});

test("what has expired is not there to be updated", async () => {
  await using space = workspace();
  const time = clock();
  const memory = space.open({}, { clock: time });
  await memory.add("gone", { id: "x", ttlMs: 1_000 });
  time.byMs = 5_000;
  await expect(memory.update("x", { text: "back" })).rejects.toMatchObject({
    code: "MEMORY_NOT_FOUND",
  });
});

test.each([0.25, 0.1 * 3 * 3_600_000, 1e15])("takes a lifetime of %d ms", async (ttlMs) => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("x", { id: "x", ttlMs });
  expect(memory.status().ledger).toMatchObject({ accepted: 1, residual: 0 });
});

test("refuses a lifetime that ends after the last date", async () => {
  await using space = workspace();
  await expect(space.open().add("x", { ttlMs: 1e300 })).rejects.toMatchObject({
    code: "MEMORY_INVALID",
  });
});

test("a clock that was set back does not hold the next attempt off for as long", async () => {
  await using space = workspace();
  const time = clock();
  const memory = space.open({}, { clock: time });
  time.byMs = 86_400_000;
  space.store.setFaults(() => {
    throw unavailable();
  });
  for (let n = 0; n < 8; n++) await memory.drain();
  await memory.add("kept", { id: "x" });
  time.byMs = 0;
  space.store.setFaults(undefined);
  expect(await memory.add("next")).toMatchObject({ durability: "stored" });
});
