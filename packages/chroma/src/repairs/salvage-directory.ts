import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { salvageIndex, type SalvagedIndex } from "./salvage-index.ts";
import { vectorSegments } from "./vector-segments.ts";

/**
 * Salvages indexes of a copied data directory: see {@link salvageIndex}. The folders leave the
 * copy; the original keeps them.
 * @param segments which, by their ids.
 */
export function salvageIndexes(
  copy: string,
  original: string,
  segments: readonly string[],
  options: { acceptLoss?: boolean } = {},
): SalvagedIndex[] {
  using database = new DatabaseSync(join(copy, "chroma.sqlite3"), { timeout: 5_000 });
  return vectorSegments(database)
    .filter(({ segment }) => segments.includes(segment))
    .map((segment) => {
      const salvaged = salvageIndex(join(original, segment.segment), database, segment, options);
      rmSync(join(copy, segment.segment), { recursive: true, force: true });
      return salvaged;
    });
}
