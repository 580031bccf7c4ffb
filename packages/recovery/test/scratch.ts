import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "@jest/globals";
import { RecoveryJournal } from "../src/index.ts";

const undo: (() => void)[] = [];

afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});

/** Runs after the test, the last registered first. */
export function after(step: () => void): void {
  undo.push(step);
}

export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-recovery-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function scratchJournal(
  path: string = join(scratchFolder(), "recovery.db"),
): RecoveryJournal {
  const journal = RecoveryJournal.open(path);
  after(() => journal.close());
  return journal;
}
