import type { VectorStore } from "../vector-store.ts";
import { COLLECTIONS } from "./contract/collections.ts";
import { type ContractCase, toCases } from "./contract/contract-case.ts";
import { ENDING } from "./contract/ending.ts";
import { READING } from "./contract/reading.ts";
import { REFUSING } from "./contract/refusing.ts";
import { WRITING } from "./contract/writing.ts";

/**
 * What every VectorStore must do, for any test runner:
 *
 *     for (const { name, run } of vectorStoreContract(open)) test(name, run);
 *
 * `open` is called for each case and its store closed after it; all may share one database, which
 * may hold other collections. The cases delete what they create, unless they fail. They do not
 * damage the database; what an adapter does when it fails is for the adapter's own tests.
 */
export function vectorStoreContract(open: () => Promise<VectorStore>): readonly ContractCase[] {
  return [COLLECTIONS, WRITING, READING, REFUSING, ENDING].flatMap((bodies) =>
    toCases(open, bodies),
  );
}
