import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { unavailable, workspace } from "./fixture.ts";

test("leaves no readable byte of text, metadata or words in any file", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("the launch code is xylophone", { id: "secret", metadata: { hint: "quokka" } });
  await memory.add("something harmless", { id: "other" });
  await memory.update("secret", { text: "the launch code is marimba" });
  await memory.forget(["secret"]);
  const bytes = readdirSync(space.directory).map((name) =>
    readFileSync(join(space.directory, name)).toString("latin1"),
  );
  for (const word of ["xylophone", "marimba", "quokka", "xylophon"]) {
    expect(bytes.some((content) => content.includes(word))).toBe(false);
  }
  expect(bytes.some((content) => content.includes("harmless"))).toBe(true);
  expect([...space.store.raw("memories").records.keys()]).toEqual(["other"]);
});

test("goes by ids or by filter, never wider, and shows first with dryRun", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("a", { id: "a", scope: { user: "ada" } });
  await memory.add("b", { id: "b", scope: { user: "bob" } });
  await expect(memory.forget({})).rejects.toMatchObject({ code: "FORGET_UNSCOPED" });
  await expect(memory.forget({ scope: {}, tags: [] })).rejects.toMatchObject({
    code: "FORGET_UNSCOPED",
  });
  expect(await memory.forget({ scope: { user: "ada" } }, { dryRun: true })).toMatchObject({
    ids: ["a"],
  });
  expect(memory.list().total).toBe(2);
  expect(await memory.forget({ scope: { user: "ada" } })).toEqual({
    ids: ["a"],
    durability: "stored",
    reason: undefined,
  });
  expect(await memory.forget(["nobody", "a"])).toMatchObject({ ids: [] });
  expect(memory.list().memories.map(({ id }) => id)).toEqual(["b"]);
});

test("shows with dryRun what revisions leave of it, as it then does", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("a", { id: "a" });
  await memory.add("b", { id: "b" });
  const revisions = new Map(memory.list().memories.map(({ id, revision }) => [id, revision]));
  await memory.update("b", { text: "b, written since" });
  const ids = ["a", "b"];
  expect(await memory.forget(ids, { revisions, dryRun: true })).toMatchObject({ ids: ["a"] });
  expect(await memory.forget(ids, { revisions })).toMatchObject({ ids: ["a"] });
});

test("is queued while the store is down, and the id may be used again meanwhile", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("first life", { id: "phoenix", metadata: { old: true }, tags: ["ash"] });
  space.store.setFaults(() => {
    throw unavailable();
  });
  expect(await memory.forget(["phoenix"])).toMatchObject({
    ids: ["phoenix"],
    durability: "queued",
  });
  await memory.add("second life", { id: "phoenix" });
  space.store.setFaults(undefined);
  await memory.drain();
  const raw = space.store.raw("memories").records.get("phoenix");
  expect(raw?.document).toBe("second life");
  expect(raw?.metadata["hf:stamp"]).toMatch(/^3 /);
  expect(raw?.metadata).not.toHaveProperty("old");
  expect(raw?.metadata).not.toHaveProperty("hf:tag:ash");
  expect(memory.status().ledger).toMatchObject({ accepted: 3, stored: 3, residual: 0 });
});

test("reaches a record that only the store holds", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours");
  space.store.raw("memories").records.set("theirs", {
    document: "x",
    metadata: {},
    embedding: new Float32Array(16).fill(1),
  });
  expect(await memory.forget(["theirs"])).toMatchObject({ ids: ["theirs"], durability: "stored" });
  expect(space.store.raw("memories").records.has("theirs")).toBe(false);
});

test("happens by itself to what has expired", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("short-lived", { id: "brief", ttlMs: 20 });
  await new Promise((resolve) => setTimeout(resolve, 30));
  await memory.drain();
  expect(space.store.raw("memories").records.size).toBe(0);
  expect(memory.status()).toMatchObject({ mirrored: 0, ledger: { residual: 0 } });
});
