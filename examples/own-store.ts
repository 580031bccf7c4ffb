// Your own database under Holdfast: write the adapter (own-store/sqlite-vector-store.ts), run it
// through the suite that Chroma's adapter passes too, then give it to createMemory.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vectorStoreContract } from "@holdfast/memory/testing";
import { SqliteVectorStore } from "./own-store/sqlite-vector-store.ts";

const folder = mkdtempSync(join(tmpdir(), "own-store-"));
const file = join(folder, "vectors.db");

const failed: string[] = [];
const cases = vectorStoreContract(async () => new SqliteVectorStore(file));
for (const { name, run } of cases) {
  try {
    await run();
  } catch (error) {
    failed.push(`${name}: ${(error as Error).message}`);
  }
}
for (const line of failed) console.log(line);
console.log(failed.length === 0 ? "it keeps the whole contract" : `${failed.length} broken`);
rmSync(folder, { recursive: true });

// Prints:
// it keeps the whole contract
