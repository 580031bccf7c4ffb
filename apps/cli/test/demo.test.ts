import { expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import { createEmbedder } from "@holdfast/embedder";
import { createMemory } from "@holdfast/memory/service";
import { InMemoryVectorStore } from "@holdfast/memory/testing";
import { askAll } from "../src/demo/fair-weather.ts";
import { MEMORIES, QUESTIONS } from "../src/demo/memories.ts";
import type { Scene } from "../src/demo/scene.ts";
import { Output } from "../src/output.ts";

// On a busy machine the keeper's probe was still under way: 0 of 3 recalled, breaker half-open.
test("the demo asks Chroma again, as long as somebody else probes the breaker", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-demo-test-"));
  using breaker = new CircuitBreaker({
    name: "store",
    failureThreshold: 1,
    halfOpenProbesMax: 1,
    operations: { read: {} },
  });
  const embedder = createEmbedder();
  await using memory = createMemory(
    { stateDirectory: folder },
    { store: new InMemoryVectorStore(), embedder, breaker },
  );
  try {
    await memory.addMany(MEMORIES, { waitMs: 60_000 });
    const away = (): Promise<never> => Promise.reject(new Error("away"));
    await expect(breaker.execute(away, { operation: "read" })).rejects.toThrow("away");
    await breaker.probeNow("canary", "read");
    let end = (): void => undefined;
    const running = new Promise<void>((resolve) => (end = resolve));
    const probe = breaker.execute(() => running, { operation: "read" });
    expect(await memory.search("anything")).toMatchObject({ degraded: true });

    const { signal } = new AbortController();
    const output = new Output({
      command: "demo",
      json: true,
      quiet: true,
      verbose: false,
      colour: false,
    });
    const asked = askAll({ output, signal, parts: { memory } } as Scene);
    setTimeout(end, 500);
    expect(await asked).toBe(QUESTIONS.length);
    await probe;
    expect(breaker.state("read")).toBe("closed");
  } finally {
    await embedder.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
