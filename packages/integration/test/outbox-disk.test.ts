import { readFileSync, statfsSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { CircuitBreaker } from "@holdfast/breaker";
import { hashEmbedder } from "@holdfast/embedder/testing";
import { createMemory, type Memory } from "@holdfast/memory";
import { InMemoryVectorStore } from "@holdfast/store/testing";
import { mountObstacle, smallDisk } from "@holdfast/testkit";

const obstacle = mountObstacle();
const onMount = obstacle === undefined ? describe : describe.skip;
const NAME = obstacle === undefined ? "the outbox on a disk" : `the outbox on a disk (${obstacle})`;

function open(directory: string, store = new InMemoryVectorStore()): Memory {
  return createMemory(
    { stateDirectory: join(directory, "state"), background: false },
    {
      store,
      embedder: hashEmbedder({ dimension: 8 }),
      breaker: new CircuitBreaker({ name: "disk" }),
    },
  );
}

onMount(NAME, () => {
  test("that is full refuses clearly, writes nothing half, and goes on when there is room", async () => {
    using disk = smallDisk(2);
    const store = new InMemoryVectorStore();
    await using memory = open(disk.path, store);
    await memory.add("before", { id: "before" });
    const ballast = join(disk.path, "ballast");
    const free = statfsSync(disk.path);
    writeFileSync(ballast, Buffer.alloc(free.bavail * free.bsize));

    const accepted: string[] = ["before"];
    let refusal: unknown;
    for (let n = 0; n < 200 && refusal === undefined; n++) {
      try {
        accepted.push((await memory.add("x".repeat(20_000), { id: `big${n}`, waitMs: 0 })).id);
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toMatchObject({
      code: "OUTBOX_UNWRITABLE",
      message: expect.stringMatching(/nothing was accepted.*full/s),
      hint: expect.stringContaining("Free some space"),
    });
    expect(
      memory
        .list({ limit: 1_000 })
        .memories.map(({ id }) => id)
        .toSorted(),
    ).toEqual(accepted.toSorted());
    expect(memory.status().ledger).toMatchObject({ accepted: accepted.length, residual: 0 });

    unlinkSync(ballast);
    accepted.push((await memory.add("after", { id: "after" })).id);
    await memory.drain();
    expect([...store.raw("memories").records.keys()].toSorted()).toEqual(accepted.toSorted());
    expect(memory.status().ledger).toMatchObject({
      stored: accepted.length,
      queued: 0,
      residual: 0,
    });
  });

  test("that is read-only refuses to open, leaves the file as it was, and recovers", async () => {
    using disk = smallDisk(4);
    const store = new InMemoryVectorStore();
    const before = open(disk.path, store);
    await before.add("before");
    await before.close();
    const file = join(disk.path, "state", "memory.db");
    const bytes = readFileSync(file);
    disk.setReadOnly(true);
    expect(() => open(disk.path, store)).toThrow(
      expect.objectContaining({
        code: "OUTBOX_UNWRITABLE",
        message: expect.stringContaining(file),
        hint: expect.stringContaining("writable"),
      }),
    );
    expect(readFileSync(file).equals(bytes)).toBe(true);
    disk.setReadOnly(false);
    await using after = open(disk.path, store);
    expect(await after.add("after")).toMatchObject({ durability: "stored" });
    expect(after.status().ledger).toMatchObject({ accepted: 2, stored: 2, residual: 0 });
  });
});
