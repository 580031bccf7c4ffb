import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Memory } from "@holdfast/memory";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { openMemory } from "./support/open-memory.ts";
import { startWriter } from "./support/writer-process.ts";

let chroma: TestChroma;
let memory: Memory;

beforeAll(async () => {
  chroma = await startChroma();
  memory = openMemory(chroma.dataDirectory, { leaseMs: 2_000, waitMs: 60_000 });
  await memory.add("the collection is there", { id: "first" });
}, 120_000);
afterAll(async () => {
  await memory?.close();
  await chroma?.stop();
});

test.each([
  ["before-commit", false],
  ["after-commit", true],
  ["after-apply", true],
  ["before-mark", true],
])(
  "a writer killed at %s leaves all or nothing, once, and the ledger balanced",
  async (dieAt, survives) => {
    const before = memory.status().ledger;
    const writer = await startWriter({ dataDirectory: chroma.dataDirectory, dieAt });
    const text = `written by one that died ${dieAt}`;
    writer.send({ do: "add", id: dieAt, text });
    expect(await writer.ended()).toBe("SIGKILL");
    expect(writer.answers).toEqual([{ ready: true }]);

    await memory.drain();
    const { ledger, outbox } = memory.status();
    const accepted = before.accepted + Number(survives);
    expect(ledger).toMatchObject({ accepted, stored: accepted, queued: 0, residual: 0 });
    expect(outbox.records).toBe(0);
    expect((await memory.get(dieAt)).memory?.text).toBe(survives ? text : undefined);
    expect(await memory.compare()).toMatchObject({ equal: true, foreign: 0, compared: accepted });
  },
);

test("a drainer stopped past its lease, and a forget meanwhile: nothing rises again", async () => {
  const stopped = await startWriter({
    dataDirectory: chroma.dataDirectory,
    stopAt: "after-commit",
    leaseMs: 300,
  });
  try {
    stopped.send({ do: "add", id: "zombie", text: "sent late" });
    await stopped.stopped();
    expect(await memory.forget(["zombie"])).toMatchObject({
      ids: ["zombie"],
      durability: "stored",
    });
    stopped.signal("SIGCONT");
    await stopped.answer((answer) => answer["id"] === "zombie");
  } finally {
    stopped.signal("SIGKILL");
    await stopped.ended();
  }
  await expectGone("zombie");
});

test.each([0, 4, 12, undefined])(
  "a drainer stopped with its request about to leave, then killed %p ms after it went on: what lands late is taken out",
  async (killedAfterMs) => {
    const id = `ghost killed after ${killedAfterMs}`;
    const settings = { dataDirectory: chroma.dataDirectory, stopAt: "before-send", leaseMs: 300 };
    const stopped = await startWriter(settings);
    try {
      stopped.send({ do: "add", id, text: "sent much later" });
      await stopped.stopped();
      await pause(400);
      expect(await memory.forget([id])).toMatchObject({ ids: [id], durability: "stored" });
      stopped.signal("SIGCONT");
      if (killedAfterMs === undefined) await stopped.answer((answer) => answer["id"] === id);
      else await pause(killedAfterMs);
    } finally {
      stopped.signal("SIGKILL");
      await stopped.ended();
    }
    await expectGone(id);
  },
);

async function expectGone(id: string): Promise<void> {
  await memory.drain();
  expect((await memory.get(id)).memory).toBeUndefined();
  expect(await memory.compare()).toMatchObject({ equal: true, foreign: 0 });
  expect(memory.status().ledger).toMatchObject({ queued: 0, residual: 0 });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
