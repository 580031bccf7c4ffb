// A nightly backup in a program of your own: write it, look at what restoring it would change, restore
// it, and think better of it. What was forgotten in between stays forgotten. No network.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CircuitBreaker } from "@holdfast/breaker";
import { createEmbedder } from "@holdfast/embedder";
import { createBackups, createMemory, dueAt, pruneBackups } from "@holdfast/memory";
import { InMemoryVectorStore } from "@holdfast/store/testing";

const folder = mkdtempSync(join(tmpdir(), "back-up-"));
// In earnest: new ChromaStore({ mode: "server", host: "localhost", port: 8000 })
const store = new InMemoryVectorStore();
const embedder = createEmbedder({ provider: "default" });
const breaker = new CircuitBreaker({ name: "store" });
const parts = { store, embedder, breaker };
const memory = createMemory({ stateDirectory: folder }, parts);
const backups = createBackups({ stateDirectory: folder }, parts);
const texts = (): string =>
  memory
    .list()
    .memories.map(({ text }) => text)
    .toSorted()
    .join(", ");

const next = dueAt("0 3 * * *", Date.UTC(2026, 10, 22, 12), "UTC") ?? 0;
console.log(`next backup: ${new Date(next).toISOString()}`);

await memory.addMany(
  ["Ada drinks tea", "Ada lives in Oslo", "Ada's PIN"].map((text) => ({ text })),
);
const { path, memories } = await backups.backup({ output: join(folder, "backups/night.yaml") });
console.log(`backed up ${memories}, read back: ${(await backups.verify(path)).memories}`);

const [pin] = memory.list().memories.filter(({ text }) => text === "Ada's PIN");
await memory.forget([pin?.id ?? ""]);
await memory.add("Ada moved to Bergen");
console.log(`now: ${texts()}`);

const plan = await backups.plan(path);
const { added, removed, unchanged, forgotten } = plan.difference;
console.log({ added, removed, unchanged, forgotten });
await backups.restore(plan);
console.log(`restored: ${texts()}`);
await backups.undo(backups.planUndo());
console.log(`undone: ${texts()}`);

const keep = { last: 7, daily: 7, weekly: 4, monthly: 6 };
const { kept } = await pruneBackups(join(folder, "backups"), keep);
console.log(`kept ${kept.length}`);

await backups.close();
await memory.close();
await embedder.close();
rmSync(folder, { recursive: true, force: true });

// Prints:
// next backup: 2026-11-23T03:00:00.000Z
// backed up 3, read back: 3
// now: Ada drinks tea, Ada lives in Oslo, Ada moved to Bergen
// { added: 0, removed: 1, unchanged: 2, forgotten: 1 }
// restored: Ada drinks tea, Ada lives in Oslo
// undone: Ada drinks tea, Ada lives in Oslo, Ada moved to Bergen
// kept 1
