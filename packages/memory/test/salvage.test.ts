import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "@jest/globals";
import { CircuitBreaker } from "@holdfast/breaker";
import { seededRandom } from "@holdfast/core";
import { breakerOutcome, type Memory } from "@holdfast/memory";
import { unavailable, workspace, type Workspace } from "./fixture.ts";

const PAGE = 4_096;

async function filled(space: Workspace): Promise<Memory> {
  const memory = space.open();
  await memory.addMany(
    Array.from({ length: 300 }, (_, n) => ({
      id: `m${n}`,
      text: `memory ${n} ${"x".repeat(n)}`,
      tags: ["t"],
    })),
  );
  await memory.forget(["m7"]);
  return memory;
}

/** Overwrites every `every`th page with garbage, from the page on that follows the schema's. */
function damage(path: string, every: number, seed: number, from = 40): void {
  const random = seededRandom(seed);
  const bytes = readFileSync(path);
  for (let page = from; page * PAGE < bytes.length; page++) {
    if (page % every !== 0) continue;
    for (let at = page * PAGE; at < (page + 1) * PAGE; at++) bytes[at] = random.next() * 256;
  }
  writeFileSync(path, bytes);
}

/** As if a day had passed since the file was last checked. */
function checkIsDue(path: string): void {
  rmSync(`${path}.checked`, { force: true });
}

test.each([
  ["its header is overwritten", (path: string) => writeFileSync(path, Buffer.alloc(20_000, 0x55))],
  ["every third page is garbage, the schema's too", (path: string) => damage(path, 3, 1, 2)],
  ["every tenth page is garbage", (path: string) => damage(path, 10, 2)],
  [
    "it was cut in half",
    (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 60_000)),
  ],
])(
  "a file of which %s is set aside, and what it lost comes back from the store",
  async (_name, hurt) => {
    await using space = workspace();
    await (await filled(space)).close();
    const path = join(space.directory, "memory.db");
    hurt(path);
    checkIsDue(path);
    const before = readFileSync(path);

    const memory = space.open();
    const { salvaged } = memory.status();
    expect(salvaged).toMatchObject({
      at: expect.any(Number),
      file: expect.stringContaining("damaged"),
    });
    expect(readFileSync(salvaged?.file as string).subarray(0, 4_096)).toEqual(
      before.subarray(0, 4_096),
    );
    await memory.drain();
    expect(memory.list({ limit: 1_000 }).total).toBe(299);
    expect(memory.list({ tags: ["t"] }).total).toBe(299);
    expect(await memory.compare()).toMatchObject({ equal: true, compared: 299, foreign: 0 });
    // That m7 was forgotten may be among what cannot be read: then it is named.
    expect(memory.status().salvaged?.lost.filter((id) => id !== "m7")).toEqual([]);
    expect((await memory.get("m42")).memory?.text).toBe(`memory 42 ${"x".repeat(42)}`);
    expect(await memory.add("goes on")).toMatchObject({ durability: "stored" });
  },
);

test("queued writes that can be read are kept; those that cannot are named, and the ledger shows them", async () => {
  await using space = workspace();
  const memory = await filled(space);
  space.store.setFaults(() => {
    throw unavailable();
  });
  await memory.addMany(
    Array.from({ length: 200 }, (_, n) => ({
      id: `q${n}`,
      text: `queued ${n} ${"y".repeat(100)}`,
    })),
    { waitMs: 0 },
  );
  await memory.close();
  damage(join(space.directory, "memory.db"), 4, 3);
  checkIsDue(join(space.directory, "memory.db"));
  const next = space.open();
  const { salvaged, ledger } = next.status();
  const kept = next.list({ limit: 1_000 }).memories.filter(({ id }) => id.startsWith("q"));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.every(({ text }) => /^queued \d+ y{100}$/.test(text))).toBe(true);
  const lost = (salvaged?.lost ?? []).filter((id) => id.startsWith("q"));
  expect(new Set([...kept.map(({ id }) => id), ...lost]).size).toBe(kept.length + lost.length);
  space.store.setFaults(undefined);
  await next.drain();
  for (const { id, text } of kept)
    expect(space.store.raw("memories").records.get(id)?.document).toBe(text);
  expect(next.status().outbox).toMatchObject({ records: 0 });
  expect(ledger.residual).toBeGreaterThanOrEqual(0);
});

test("a process that holds the damaged file accepts nothing more into it", async () => {
  await using space = workspace();
  const holder = await filled(space);
  const path = join(space.directory, "memory.db");
  const db = new DatabaseSync(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  damage(path, 2, 4);
  checkIsDue(path);
  space.open();
  await expect(holder.add("into the void")).rejects.toMatchObject({ code: "OUTBOX_CORRUPT" });
});

test("damage that is found in use is dealt with at the next opening", async () => {
  await using space = workspace();
  const memory = await filled(space);
  const path = join(space.directory, "memory.db");
  const db = new DatabaseSync(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  damage(path, 2, 5);
  let seen: unknown;
  try {
    memory.list({ limit: 1_000, tags: ["t"] });
    await memory.forget({ tags: ["t"] });
  } catch (error) {
    seen = error;
  }
  expect(seen).toMatchObject({
    code: "OUTBOX_CORRUPT",
    hint: expect.stringContaining("set aside"),
  });
  expect(existsSync(`${path}.suspect`)).toBe(true);
  const next = space.open();
  expect(existsSync(`${path}.suspect`)).toBe(false);
  await next.drain();
  expect(next.list({ limit: 1_000 }).total).toBe(299);
});

test("what the store gives back may take longer than a call: each page has the time of one", async () => {
  await using space = workspace();
  const memory = space.open();
  const items = Array.from({ length: 1_200 }, (_, n) => ({ id: `m${n}`, text: `memory ${n}` }));
  await memory.addMany(items);
  await memory.close();
  writeFileSync(join(space.directory, "memory.db"), Buffer.alloc(20_000, 0x55));
  const breaker = new CircuitBreaker({ name: "test", classify: breakerOutcome });
  const execute = breaker.execute.bind(breaker);
  const pagesOfCalls: number[] = [];
  breaker.execute = (work, options) => {
    pagesOfCalls.push(0);
    return execute(work, options);
  };
  space.store.setFaults(({ operation, moment }) => {
    if (operation === "scan" && moment === "before")
      pagesOfCalls.push((pagesOfCalls.pop() ?? 0) + 1);
  });
  const next = space.open({}, { breaker });
  expect(await next.drain()).toMatchObject({ stoppedBy: undefined });
  expect(Math.max(...pagesOfCalls)).toBe(1);
  expect(pagesOfCalls.filter((pages) => pages === 1).length).toBeGreaterThanOrEqual(3);
  expect(next.list({ limit: 10_000 }).total).toBe(1_200);
});
