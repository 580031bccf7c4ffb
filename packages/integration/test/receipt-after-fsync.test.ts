import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startWriter } from "./support/writer-process.ts";

const obstacle = spawnSync("strace", ["-V"]).status === 0 ? undefined : "wants strace";
const underStrace = obstacle === undefined ? describe : describe.skip;

underStrace(`the outbox under strace${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  test("is synced to disk before the receipt is given", async () => {
    const lines = await traceOneAdd();
    const ready = lines.findIndex((line) => line.includes("ready"));
    const receipt = lines.findIndex((line) => line.includes("synced") && /write\(1</.test(line));
    expect(ready).toBeGreaterThanOrEqual(0);
    expect(receipt).toBeGreaterThan(ready);
    const between = lines.slice(ready, receipt);
    const written = between.findIndex((line) => /pwrite64\(\d+<[^>]*memory\.db-wal>/.test(line));
    const synced = between.findLastIndex((line) =>
      /f(data)?sync\(\d+<[^>]*memory\.db-wal>\)\s+= 0/.test(line),
    );
    expect(written).toBeGreaterThanOrEqual(0);
    expect(synced).toBeGreaterThan(written);
  });
});

/** The writes and syncs of a process that accepts one memory, in order. */
async function traceOneAdd(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-fsync-"));
  const trace = join(folder, "trace");
  try {
    const calls = "trace=pwrite64,write,fsync,fdatasync";
    const writer = await startWriter({ dataDirectory: join(folder, "data"), waitMs: 0 }, [
      "strace",
      "-f",
      "-y",
      "-s",
      "256",
      "-e",
      calls,
      "-o",
      trace,
    ]);
    writer.send({ do: "add", id: "synced", text: "must be on disk first" });
    await writer.answer((answer) => answer["id"] === "synced");
    writer.close();
    await writer.ended();
    return readFileSync(trace, "utf8").split("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
