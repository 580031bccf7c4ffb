import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { SalvagedIndex } from "@holdfast/chroma";
import { verifySalvage } from "../../src/strategies/verify-salvage.ts";
import { FixtureServer } from "../fixture-server.ts";

let aside: string;
beforeEach(() => void (aside = mkdtempSync(join(tmpdir(), "holdfast-verify-"))));
afterEach(() => rmSync(aside, { recursive: true, force: true }));

const signal = new AbortController().signal;
const salvaged: SalvagedIndex = {
  segment: "s",
  collection: "notes",
  tenant: "t",
  database: "d",
  fromIndex: 1,
  fromQueue: 0,
  labels: "pickle",
  lost: [],
};

function serving(vector: readonly (number | null)[]): Promise<FixtureServer> {
  return FixtureServer.start(({ path }) => {
    if (path.endsWith("/count")) return { body: 1 };
    if (path.endsWith("/get")) {
      return { body: { ids: ["a"], documents: [""], metadatas: [null], embeddings: [vector] } };
    }
    return { body: { id: "c", name: "notes", metadata: null } };
  });
}

// SQLite without its first bytes and a torn index were both repaired, and the repair then taken back.
test("a catalogue that was damaged too says nothing of the rows, and ends no repair", async () => {
  writeFileSync(join(aside, "chroma.sqlite3"), "no database at all, but long enough ".repeat(40));
  await using whole = await serving([1, 0]);
  const endpoint = { host: "127.0.0.1", port: whole.port, incarnation: "i" };
  await expect(verifySalvage(endpoint, salvaged, aside, signal)).resolves.toEqual({
    read: 1,
    compared: 0,
  });
  await using broken = await serving([1, null]);
  await expect(
    verifySalvage({ ...endpoint, port: broken.port }, salvaged, aside, signal),
  ).rejects.toMatchObject({ code: "REPAIR_UNPROVEN" });
});
