import { expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@holdfast/config";
import { FakeClock } from "@holdfast/core/testing";
import { untilConfigChanges } from "../src/monitor/config-watch.ts";

test("a comment is no change, an invalid file is told once, and an overlay is one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-watch-"));
  try {
    const file = join(folder, "holdfast.yaml");
    const options = { file, environment: {}, workingDirectory: folder, userDataDirectory: folder };
    writeFileSync(file, "outbox: {wait: 1}\n");
    const clock = new FakeClock();
    const told: string[] = [];
    let changed = false;
    const watched = untilConfigChanges(
      loadConfig(options),
      options,
      { clock, onInvalid: (why) => told.push(why) },
      new AbortController().signal,
    ).then(() => (changed = true));

    writeFileSync(file, "# a comment\noutbox: {wait: 1}\n");
    await clock.advance(3_000);
    writeFileSync(file, "outbox: {wait: [");
    await clock.advance(3_000);
    expect(told).toHaveLength(1);
    writeFileSync(file, "outbox: {wait: 1}\n");
    await clock.advance(3_000);
    expect(changed).toBe(false);
    writeFileSync(join(folder, "holdfast.development.yaml"), "outbox: {wait: 2}\n");
    await clock.advance(1_000);
    await watched;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
