// The loop of a small agent: recall what bears on the question, answer, remember what was learned.
// Half-way the store goes away, and nothing is lost: that is all Holdfast is for. No network.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import { createEmbedder } from "@holdfast/embedder";
import { breakerOutcome, createMemory } from "@holdfast/memory";
import { StoreError } from "@holdfast/store";
import { InMemoryVectorStore } from "@holdfast/store/testing";

const folder = mkdtempSync(join(tmpdir(), "agent-memory-"));
// In earnest: new ChromaStore({ mode: "server", host: "localhost", port: 8000 })
const store = new InMemoryVectorStore();
const embedder = createEmbedder({ provider: "default" });
const breaker = new CircuitBreaker({ name: "store", classify: breakerOutcome });
const memory = createMemory({ stateDirectory: folder }, { store, embedder, breaker });
const scope = { user: "ada", agent: "helper" };

/** What a language model would do with the question and what was recalled. */
const answer = (question: string, recalled: readonly string[]): string =>
  recalled.length === 0 ? `I do not know: ${question}` : `${recalled[0]}.`;

async function turn(question: string, learned?: string): Promise<void> {
  const { hits, degraded } = await memory.search(question, { scope, limit: 1 });
  const recalled = hits.map(({ text }) => text);
  console.log(`${degraded ? "(from this machine) " : ""}${answer(question, recalled)}`);
  if (learned === undefined) return;
  const { durability } = await memory.add(learned, { scope, waitMs: 30_000 });
  console.log(`  learned, ${durability}: ${learned}`);
}

await turn("what does Ada drink", "Ada drinks green tea");
await turn("what does Ada drink", "Ada lives in Oslo");

store.setFaults(({ operation }) => {
  throw new StoreError(`${operation}: connection refused`, { code: "STORE_UNAVAILABLE" });
});
await turn("where does Ada live", "Ada moved to Bergen");
await turn("where has Ada moved to");

store.setFaults(undefined);
await breaker.reset("the store is back");
await memory.drain();
const { ledger } = memory.status();
console.log(`${ledger.accepted} accepted, ${ledger.stored} stored, ${ledger.queued} queued`);

await memory.close();
breaker.close();
await embedder.close();
rmSync(folder, { recursive: true });

// Prints:
// I do not know: what does Ada drink
//   learned, stored: Ada drinks green tea
// Ada drinks green tea.
//   learned, stored: Ada lives in Oslo
// (from this machine) Ada lives in Oslo.
//   learned, queued: Ada moved to Bergen
// (from this machine) Ada moved to Bergen.
// 3 accepted, 3 stored, 0 queued
