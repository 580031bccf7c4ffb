import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@holdfast/config";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { backupPort } from "../src/recovery/backup-port.ts";
import { type Parts, wire, withBackupsOver } from "../src/wire.ts";
import { workspaceOf } from "../src/workspace.ts";

let folder: string;
let chroma: TestChroma;
let parts: Parts;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-port-"));
  chroma = await startChroma();
  const { host, port } = chroma;
  const file = join(folder, "holdfast.yaml");
  const text = `vector_store: {config: {host: ${host}, port: ${port}}}`;
  const parsed = parseConfig(text, { file, environment: {} });
  const loaded = { ...parsed, source: "workspace", file, directory: folder, again: {} } as const;
  parts = await wire(workspaceOf(loaded), {
    readSecret: () => "",
    endpoint: () => Promise.reject(new TypeError("not managed")),
    background: false,
  });
});

afterEach(async () => {
  await parts.close();
  await chroma.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a repair from the last backup loses nothing that was accepted since", async () => {
  const port = backupPort(parts);
  expect(await port.describe()).toBeUndefined();
  const { memory, store } = parts;
  await memory.add("before", { id: "before" });
  const theirs = await store.openCollection("memories");
  const { dimension } = await parts.embedder.identity();
  const embedding = new Float32Array(dimension).fill(0.1);
  await theirs.upsert([{ id: "theirs", document: "theirs", metadata: { by: "them" }, embedding }]);
  const output = join(folder, "b.yaml");
  await withBackupsOver(parts, (backups) => backups.backup({ output }));
  await memory.add("since", { id: "since" });
  await store.deleteCollection("memories");
  expect(await port.describe()).toMatch(/the backup of .* \(1 memory\)/);
  const done = await port.restore(new AbortController().signal);
  expect(done).toMatch(/^2 memories and 1 record of other programs restored from/);
  expect(await memory.compare()).toMatchObject({ equal: true, compared: 2, foreign: 1 });
  expect((await memory.get("theirs")).memory?.text).toBe("theirs");
});
