import { expect } from "@jest/globals";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseConfig } from "@holdfast/config";
import { startChroma } from "@holdfast/testkit";
import { workspaceOf } from "../../src/workspace.ts";
import { type Bench, keyTests } from "./key-tests.ts";

keyTests("outbox", {
  records_max: async (bench) => {
    bench.configureDead("outbox: {records_max: 1}");
    await bench.run("memory", "add", "one");
    expect((await bench.run("memory", "add", "two")).json.error.code).toBe("OUTBOX_FULL");
  },
  bytes_max: async (bench) => {
    bench.configureDead("outbox: {bytes_max: 1024}");
    expect((await bench.run("memory", "add", "x".repeat(600))).json.ok).toBe(true);
    const second = await bench.run("memory", "add", "x".repeat(600));
    expect(second.json.error.code).toBe("OUTBOX_FULL");
  },
  kept_records_max: (bench) => keeps(bench, "kept_records_max: 1"),
  kept_bytes_max: (bench) => keeps(bench, "kept_bytes_max: 1"),
  wait: async (bench) => {
    bench.configureDead("outbox: {wait: 0}");
    const { json } = await bench.run("memory", "add", "x");
    // Nobody waited, so nobody knows yet that the store is down.
    expect(json.data.reason).toContain("in the background");
  },
});

async function keeps(bench: Bench, line: string): Promise<void> {
  await using chroma = await startChroma();
  const store = `vector_store: {config: {host: ${chroma.host}, port: ${chroma.port}}}`;
  const { file, folder: directory } = bench;
  const kept = async (text: string): Promise<number> => {
    bench.configure(text);
    for (const n of [1, 2, 3]) await bench.run("memory", "add", `memory ${n}`);
    const { config } = parseConfig(text, { file, environment: {} });
    const workspace = workspaceOf({ config, directory });
    using db = new DatabaseSync(join(workspace.stateDirectory, "memory.db"));
    const row = db.prepare("SELECT count(*) AS n FROM entry WHERE state = 'stored'").get();
    return (row as { n: number }).n;
  };
  expect(await kept(`${store}\n`)).toBe(3);
  expect(await kept(`${store}\noutbox: {${line}}\n`)).toBeLessThan(3);
}
