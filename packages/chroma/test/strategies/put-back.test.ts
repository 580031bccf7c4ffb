import { existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { ManagedServer } from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import { isRunning } from "@holdfast/sqlite";
import { putBack } from "../../src/strategies/put-back.ts";

const FAKE = fileURLToPath(new URL("../server/fixtures/fake-chroma.ts", import.meta.url));

// The directory was moved away under a server that a killed keeper had left.
test("what a killed keeper's server works on is put back only when that has ended", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "holdfast-put-back-"));
  const dataDirectory = join(scratch, "data");
  const aside = join(scratch, "aside");
  const command = [process.execPath, FAKE, "well", "1.4.4"];
  const killed = new ManagedServer({ dataDirectory, command });
  const next = new ManagedServer({ dataDirectory, command });
  try {
    mkdirSync(aside);
    writeFileSync(join(aside, "chroma.sqlite3"), "as it was");
    const { pid } = await killed.start();
    killed.release();
    await putBack(next, aside, "a repair that failed", systemClock, new AbortController().signal);
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(join(dataDirectory, "chroma.sqlite3"))).toBe(true);
  } finally {
    await next.evict();
    rmSync(scratch, { recursive: true, force: true });
  }
});
