import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { startWriter } from "./support/writer-process.ts";

const obstacle = spawnSync("strace", ["-V"]).status === 0 ? undefined : "wants strace";
const traced = obstacle === undefined ? test : test.skip;

traced(
  `a receipt is given only after the outbox was synced to disk${obstacle ? ` (${obstacle})` : ""}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-fsync-"));
    const trace = join(folder, "trace");
    try {
      const writer = await startWriter({ dataDirectory: join(folder, "data"), waitMs: 0 }, [
        "strace",
        "-f",
        "-y",
        "-s",
        "256",
        "-e",
        "trace=pwrite64,write,fsync,fdatasync",
        "-o",
        trace,
      ]);
      writer.send({ do: "add", id: "synced", text: "must be on disk first" });
      await writer.answer((answer) => answer["id"] === "synced");
      writer.close();
      await writer.ended();
    } finally {
      const lines = readFileSync(trace, "utf8").split("\n");
      rmSync(folder, { recursive: true, force: true });
      const ready = lines.findIndex((line) => line.includes("ready"));
      const receipt = lines.findIndex((line) => line.includes("synced") && /write\(1</.test(line));
      const between = lines.slice(ready, receipt);
      const synced = between.findLastIndex((line) =>
        /f(data)?sync\(\d+<[^>]*memory\.db-wal>\)\s+= 0/.test(line),
      );
      const written = between.findIndex((line) => /pwrite64\(\d+<[^>]*memory\.db-wal>/.test(line));
      expect({ ready, receipt }).toEqual({
        ready: expect.any(Number),
        receipt: expect.any(Number),
      });
      expect(receipt).toBeGreaterThan(ready);
      expect(written).toBeGreaterThanOrEqual(0);
      expect(synced).toBeGreaterThan(written);
    }
  },
  60_000,
);
