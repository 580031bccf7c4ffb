import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ensureStateDirectory, processChecks } from "@holdfast/chroma";
import type { CheckOutcome } from "@holdfast/recovery";
import { recordExit } from "../../src/server/exit-history.ts";

test.each([
  ["stands", 0],
  ["is set back", -86_400_000],
  ["is set ahead", 86_400_000],
])("two quick ends are a crash loop when the clock %s between them", async (_, jumpMs) => {
  const scratch = mkdtempSync(join(tmpdir(), "holdfast-crash-loop-"));
  try {
    const data = join(scratch, "data");
    ensureStateDirectory(data);
    let now = Date.now();
    const clock = { now: () => now, monotonic: () => 5_000, sleep: () => Promise.resolve() };
    const exit = { code: null, signal: "SIGSEGV", ranMs: 100, ready: true };
    recordExit(data, exit, clock);
    now += jumpMs;
    recordExit(data, exit, clock);
    const check = processChecks(data, clock).find(({ name }) => name === "crash-loop");
    const outcome = (await check?.run({ signal: new AbortController().signal })) as CheckOutcome;
    expect(outcome.status).toBe("fail");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
