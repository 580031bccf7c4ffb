import { expect, test } from "@jest/globals";
import { startChroma, until } from "@holdfast/testkit";
import { openMemory } from "./support/open-memory.ts";

test("a stopped server: calls end at their limit, the breaker opens, recall degrades, nothing is lost", async () => {
  await using chroma = await startChroma();
  {
    // With the patience that a server wants which has just been started.
    await using patient = openMemory(chroma.dataDirectory, { waitMs: 60_000 });
    await patient.add("the kettle is in the left cupboard", { id: "kettle" });
  }
  await using memory = openMemory(chroma.dataDirectory, {
    limits: { readMs: 300, writeMs: 300 },
    breaker: { failureThreshold: 3, recoveryTimeoutMs: 60_000 },
  });
  chroma.pause();
  try {
    const reasons: (string | undefined)[] = [];
    for (let call = 0; call < 3; call++) {
      const { degraded, reason, hits } = await memory.search("where is the kettle");
      expect(degraded).toBe(true);
      expect(hits[0]?.id).toBe("kettle");
      reasons.push(reason);
    }
    expect(reasons.join()).toMatch(/300 ms/);
    expect(memory.status().breaker).toMatchObject({
      state: "open",
      retryAfterMs: expect.any(Number),
    });
    // Refused at once: the breaker's word, not another time limit, ends these.
    expect((await memory.search("kettle")).reason).toMatch(/open/i);
    const receipt = await memory.add("the cups are beside it", { id: "cups" });
    expect(receipt).toMatchObject({ durability: "queued", reason: expect.stringMatching(/open/i) });
    await expect(memory.guard("read", () => Promise.resolve())).rejects.toMatchObject({
      code: "MEMORY_UNAVAILABLE",
    });
    expect((await memory.search("cups")).hits[0]?.id).toBe("cups");
    expect(memory.status().ledger).toMatchObject({
      accepted: 2,
      stored: 1,
      queued: 1,
      residual: 0,
    });
  } finally {
    chroma.resume();
  }
  await using later = openMemory(chroma.dataDirectory);
  await later.drain();
  expect(await later.compare()).toMatchObject({ equal: true, compared: 2 });
  expect(later.status().ledger).toMatchObject({ stored: 2, queued: 0, residual: 0 });
  expect(await later.search("cups")).toMatchObject({ degraded: false });
});

test("a write that a stopped server still holds lands late, after a forget, and is taken out", async () => {
  await using chroma = await startChroma();
  await using memory = openMemory(chroma.dataDirectory, {
    limits: { readMs: 3_000, writeMs: 3_000 },
    breaker: { failureThreshold: 1_000 },
  });
  await memory.add("first", { id: "first" });
  chroma.pause();
  expect(await memory.add("held by the server", { id: "late" })).toMatchObject({
    durability: "queued",
  });
  expect(await memory.forget(["late"], { waitMs: 0 })).toMatchObject({ ids: ["late"] });
  chroma.resume();
  await until("an empty outbox", async () => (await memory.drain()).queued === 0);
  expect((await memory.get("late")).memory).toBeUndefined();
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 1, foreign: 0 });
  expect(memory.status().ledger).toMatchObject({ accepted: 3, stored: 3, residual: 0 });
});
