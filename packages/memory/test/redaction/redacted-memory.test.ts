import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRedactor, type Memory, redactedMemory } from "@holdfast/memory";
import { type Workspace, workspace } from "../fixture.ts";
import { ALNUM, Dice, knownSecrets } from "./secret-corpus.ts";

/** One in some thousand random secrets looks like a word or a number: the sample is always the same. */
const SEED = Number(process.env["HOLDFAST_SEED"] ?? 20_261);

let place: Workspace;
let memory: Memory;

beforeEach(() => {
  place = workspace();
  memory = redactedMemory(place.open({ waitMs: 0 }), createRedactor());
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

/** Everything in the workspace's files, as bytes: pages that SQLite has freed among them. */
function rawBytes(): string {
  return readdirSync(place.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

test(`no byte of a secret reaches the disk, the embedder or the store (seed ${SEED})`, async () => {
  const samples = knownSecrets(SEED, 3).filter(({ kind }) => kind !== "random");
  for (const [at, { text }] of samples.entries()) {
    const { id, redactions } = await memory.add(text, { metadata: { note: text } });
    expect(redactions).toBeGreaterThanOrEqual(2);
    if (at % 5 === 0) await memory.update(id, { text: `again: ${text}` });
    if (at % 7 === 0) await memory.search(text);
  }
  await memory.addMany(samples.map(({ text }) => ({ text })));
  await memory.drain();
  const kept = rawBytes() + JSON.stringify([...place.embedder.embedded]);
  const stored = JSON.stringify(await memory.search("the key", { limit: 1000 }));
  const found = samples.filter(({ secret }) => (kept + stored).includes(secret));
  expect(found.map(({ kind }) => kind)).toEqual([]);
  expect(kept).toContain("[redacted:");
  // Hundreds of writes, each of which waits for the disk.
}, 300_000);

test("receipts say how many were taken out, and 0 says that somebody looked", async () => {
  expect((await memory.add("nothing to hide")).redactions).toBe(0);
  const password = new Dice(SEED).password();
  const two = `PGPASSWORD=${password} psql --password ${password}`;
  const receipts = await memory.addMany([{ text: two }, { text: "plain" }]);
  expect(receipts.map(({ redactions }) => redactions)).toEqual([2, 0]);
  const id = receipts[0]?.id ?? "";
  const metadata = { password, colour: "blue" };
  expect((await memory.update(id, { metadata })).redactions).toBe(1);
  expect((await memory.get(id)).memory?.metadata).toEqual({
    password: "[redacted:pair]",
    colour: "blue",
  });
});

test("what things are found by is refused rather than altered", async () => {
  const token = `ghp_${new Dice(SEED).of(ALNUM, 36)}`;
  const refusal = { code: "MEMORY_INVALID", message: expect.not.stringContaining(token) };
  await expect(memory.add("x", { id: token })).rejects.toMatchObject(refusal);
  await expect(memory.add("x", { scope: { session: token } })).rejects.toMatchObject(refusal);
  const session = new Dice(SEED).of(ALNUM, 32);
  await expect(memory.add("x", { scope: { session } })).resolves.toMatchObject({ redactions: 0 });
});

test("what cannot be stored is refused as before", async () => {
  const invalid = { metadata: { a: null }, tags: [7] } as never;
  await expect(memory.add("x", invalid)).rejects.toMatchObject({ code: "MEMORY_INVALID" });
  await expect(memory.add(7 as never)).rejects.toMatchObject({ code: "MEMORY_INVALID" });
});
