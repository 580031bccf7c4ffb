import { DatabaseSync } from "node:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type Memory, syncMemory } from "@holdfast/memory";
import { StoreError } from "@holdfast/store";
import { unavailable, workspace } from "./fixture.ts";

const another = { document: "by another", embedding: new Float32Array(16).fill(1) };

test("what another program wrote under a forgotten id can be forgotten again", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours", { id: "x" });
  await memory.forget(["x"]);
  const { records } = space.store.raw("memories");
  for (const metadata of [{}, { "hf:stamp": "9 1 1 0f host" }]) {
    records.set("x", { ...another, metadata });
    expect((await memory.get("x")).memory?.text).toBe("by another");
    expect(await memory.forget(["x"])).toMatchObject({ ids: ["x"], durability: "stored" });
    expect(records.has("x")).toBe(false);
  }
});

test("another host's memory is gone from recall once forgetting it was accepted", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours");
  const metadata = { "hf:stamp": "9 1 1 0f host" };
  space.store.raw("memories").records.set("x", { ...another, metadata });
  space.store.setFaults(({ operation }) => {
    if (operation === "delete") throw unavailable();
  });
  expect(await memory.forget(["x"])).toMatchObject({ ids: ["x"], durability: "queued" });
  expect((await memory.get("x")).memory).toBeUndefined();
  expect((await memory.search("by another")).hits.map(({ id }) => id)).not.toContain("x");
});

// What was forgotten went by the first revision, and the store's was a later one.
test("another host's memory that a sync has brought is gone from recall, too", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours");
  const metadata = { "hf:stamp": "9 1 1 0f host" };
  space.store.raw("memories").records.set("x", { ...another, metadata });
  const target = { stateDirectory: space.directory, collection: "memories" };
  await syncMemory(target, space);
  space.store.setFaults(({ operation }) => {
    if (operation === "delete") throw unavailable();
  });
  expect(await memory.forget(["x"])).toMatchObject({ ids: ["x"], durability: "queued" });
  expect((await memory.get("x")).memory).toBeUndefined();
  expect((await memory.search("by another")).hits.map(({ id }) => id)).not.toContain("x");
  expect(await syncMemory(target, space)).toMatchObject({ forgotten: 1, held: 0 });
});

test("what another host lets expire is not recalled, though we hold an older revision", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("ours", { id: "x" });
  const metadata = { "hf:stamp": "9 1 1 0f host", "hf:expires": 1 };
  space.store.raw("memories").records.set("x", { ...another, metadata });
  expect((await memory.get("x")).memory).toBeUndefined();
});

test("names of tags and keys leave the files once the store has forgotten them too", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("text", { id: "x", tags: ["xylophone"], metadata: { quokka: 1 } });
  space.store.setFaults(({ operation, moment }) => {
    if (operation === "upsert" && moment === "before") {
      throw new StoreError("no key 'marimba'", { code: "STORE_REJECTED" });
    }
  });
  await memory.update("x", { metadata: { marimba: 1 } });
  await memory.forget(["x"]);
  const bytes = readdirSync(space.directory).map((name) =>
    readFileSync(join(space.directory, name)).toString("latin1"),
  );
  for (const word of ["xylophone", "quokka", "marimba"]) {
    expect(bytes.some((content) => content.includes(word))).toBe(false);
  }
});

test("a reader in the way of erasing puts it off to the next run", async () => {
  await using space = workspace();
  const memory = space.open();
  await memory.add("xylophone", { id: "x" });
  const reader = new DatabaseSync(`${space.directory}/memory.db`);
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM entry").get();
  await memory.forget(["x"]);
  reader.exec("ROLLBACK");
  reader.close();
  await memory.drain();
  const bytes = readdirSync(space.directory).map((name) =>
    readFileSync(join(space.directory, name)).toString("latin1"),
  );
  expect(bytes.some((content) => content.includes("xylophone"))).toBe(false);
});

test.each([
  ["forgotten", (memory: Memory): Promise<unknown> => memory.forget(["x"])],
  [
    "erased",
    (memory: Memory): Promise<unknown> => memory.update("x", { text: "y" }, { erase: true }),
  ],
])(
  "what a process that died had %s leaves the files with the next one's first run",
  async (_what, end) => {
    await using space = workspace();
    await space.open().add("xylophone", { id: "x" });
    const dying = space.open(
      {},
      {
        failpoint: (name) => {
          if (name === "after-commit") throw new Error("killed");
        },
      },
    );
    await expect(end(dying)).rejects.toThrow("killed");
    await space.open().drain();
    const bytes = readdirSync(space.directory).map((name) =>
      readFileSync(join(space.directory, name)).toString("latin1"),
    );
    expect(bytes.some((content) => content.includes("xylophone"))).toBe(false);
  },
);
