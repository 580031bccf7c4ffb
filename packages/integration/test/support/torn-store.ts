import { inspectDataDirectory, replaceDirectory, salvageIndexes } from "@holdfast/chroma";
import type { SalvagedIndex } from "@holdfast/chroma";

/** Salvages every torn index of a directory that no server runs on; the original is moved aside. */
export async function salvageTorn(
  dataDirectory: string,
): Promise<{ salvaged: SalvagedIndex[]; aside: string }> {
  const { findings } = inspectDataDirectory(dataDirectory);
  const segments = findings.flatMap((each) => (each.kind === "torn-index" ? [each.segment] : []));
  const why = { reason: "torn", evidence: findings };
  const { result, data } = await replaceDirectory(dataDirectory, why, (copy, original) =>
    salvageIndexes(copy, original, segments),
  );
  return { salvaged: result, aside: data };
}
