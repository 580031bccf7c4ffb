import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HoldfastError } from "@holdfast/core";
import { type Memory, memoryOutcomeClass } from "@holdfast/memory";
import { MetricsStore } from "@holdfast/metrics";
import { measureMemory } from "../src/measured-memory.ts";

let folder: string;
let metrics: MetricsStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-measured-"));
  metrics = new MetricsStore({ path: join(folder, "metrics.db"), classify: memoryOutcomeClass });
});
afterEach(() => {
  metrics.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A memory that answers as told, and whose methods need their own `this`. */
class ToldMemory {
  readonly #answer: unknown;

  constructor(answer: unknown) {
    this.#answer = answer;
  }

  async add(): Promise<unknown> {
    if (this.#answer instanceof Error) throw this.#answer;
    return this.#answer;
  }

  addMany = (): Promise<unknown> => this.add();
  update = (): Promise<unknown> => this.add();
  search = (): Promise<unknown> => this.add();
  get = (): Promise<unknown> => this.add();
  forget = (): Promise<unknown> => this.add();
  drain = (): Promise<unknown> => this.add();

  list(): unknown {
    return this.#answer;
  }
}

const answering = (answer: unknown): Memory =>
  measureMemory(new ToldMemory(answer) as unknown as Memory, metrics);

function outcomes(): Record<string, Record<string, number>> {
  return Object.fromEntries(
    metrics.summary().operations.map((each) => [each.operation, each.outcomes]),
  );
}

test("each operation is recorded under what became of it", async () => {
  await answering({ durability: "stored" }).add("a");
  await answering({ durability: "queued" }).update("a", {});
  await answering([{ durability: "stored" }, { durability: "dead" }]).addMany([
    { text: "a" },
    { text: "b" },
  ]);
  await answering({ degraded: false }).search("a");
  await answering({ degraded: true }).get("a");
  await answering({ durability: "stored" }).forget(["a"]);
  await answering({ stoppedBy: undefined }).drain();
  await answering({ stoppedBy: "the store is away" }).drain();
  expect(outcomes()).toEqual({
    add: { stored: 1 },
    update: { queued: 1 },
    addMany: { dead: 1 },
    search: { success: 1 },
    get: { degraded: 1 },
    forget: { stored: 1 },
    drain: { success: 1, stopped: 1 },
  });
  const captures = metrics.totals().counters.filter(({ name }) => name === "captures");
  expect(captures.map(({ labels, value }) => [labels["outcome"], value])).toEqual([
    ["stored", 2],
    ["dead", 1],
  ]);
});

test.each([
  ["refused", new HoldfastError("no text", { code: "MEMORY_INVALID" }), []],
  ["failed", new HoldfastError("no room", { code: "OUTBOX_FULL" }), [["OUTBOX_FULL", undefined]]],
  [
    "failed",
    new HoldfastError("no answer", { code: "STORE_TIMEOUT", retryable: true }),
    [["STORE_TIMEOUT", "no answer"]],
  ],
  ["failed", new TypeError("a bug"), [["TypeError", undefined]]],
])("an error is counted as %s, and is the caller's as it was", async (outcome, error, causes) => {
  await expect(answering(error).addMany([{ text: "a" }, { text: "b" }])).rejects.toBe(error);
  expect(outcomes()).toEqual({ addMany: { [outcome]: 1 } });
  expect(metrics.totals().counters).toMatchObject([{ labels: { outcome }, value: 2 }]);
  expect(metrics.events().map(({ data }) => [data["code"], data["message"]])).toEqual(causes);
});

test("what its caller gave up counts neither way", async () => {
  const gone = new Error("gone");
  const signal = AbortSignal.abort(gone);
  await expect(answering(gone).search("a", { signal })).rejects.toBe(gone);
  expect(metrics.summary().overall).toMatchObject({ ignored: 1, failed: 0, successRate: null });
});

test("what is not measured is the memory's own", () => {
  const page = { memories: [], total: 0 };
  expect(answering(page).list()).toBe(page);
  expect(metrics.summary().overall.total).toBe(0);
});

test("a metrics store that is closed is no obstacle", async () => {
  metrics.close();
  await expect(answering({ durability: "stored" }).add("a")).resolves.toEqual({
    durability: "stored",
  });
});
