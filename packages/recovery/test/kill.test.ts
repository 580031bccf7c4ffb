import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, jest, test } from "@jest/globals";
import type { RecoveryReport } from "../src/index.ts";
import { scratchFolder, scratchJournal } from "./scratch.ts";

jest.setTimeout(120_000);

function recover(folder: string, point = ""): { signal: string | null; report: RecoveryReport } {
  const script = join(import.meta.dirname, "fixtures/recover.ts");
  const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
  const ended = spawnSync(process.execPath, [...flags, script, folder, point], {
    encoding: "utf8",
  });
  expect(ended.stderr).toBe("");
  return {
    signal: ended.signal,
    report: JSON.parse(ended.stdout || "null") as RecoveryReport,
  };
}

function brokenFolder(): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, "data"), "broken");
  return folder;
}

const POINTS = [
  "opened",
  "planned",
  "step-began:move-aside",
  "before-remember",
  "before-move",
  "after-move",
  "step-ended:move-aside",
  "step-began:write",
  "before-swap",
  "after-swap",
  "step-ended:write",
  "proved",
];

test.each(POINTS)("killed at %s: the next recovery takes up that one and ends it", (point) => {
  const folder = brokenFolder();
  expect(recover(folder, point)).toEqual({ signal: "SIGKILL", report: null });
  const { report } = recover(folder);
  expect(report.outcome).toBe("recovered");
  expect(report.incident?.resumed).toBe(1);
  // Each effect once, whatever was repeated.
  expect(readFileSync(join(folder, "data"), "utf8")).toBe("whole");
  expect(readFileSync(join(folder, "aside"), "utf8")).toBe("broken");
  expect(scratchJournal(join(folder, "recovery.db")).incidents()).toHaveLength(1);
});

test("killed after it had closed the incident: nothing is left to do", () => {
  const folder = brokenFolder();
  expect(recover(folder, "closed").signal).toBe("SIGKILL");
  expect(recover(folder).report.outcome).toBe("healthy");
});

test("a step that kills its process twice is undone, and not run a third time", () => {
  const folder = brokenFolder();
  expect(recover(folder, "after-move").signal).toBe("SIGKILL");
  // Moved already, so that the second run of the step ends at an earlier point.
  expect(recover(folder, "before-move").signal).toBe("SIGKILL");
  const { report } = recover(folder, "before-move");
  expect(report.incident?.resumed).toBe(2);
  expect(report.incident?.steps[0]).toMatchObject({
    state: "undone",
    attempts: 2,
    message: "it was cut off 2 times; what it had changed was put back",
  });
  expect(existsSync(join(folder, "aside"))).toBe(false);
  expect(report.outcome).toBe("recovered");
});

test("killed while it undoes: the undoing is repeated", () => {
  const folder = brokenFolder();
  recover(folder, "before-move");
  recover(folder, "before-move");
  expect(recover(folder, "after-undo").signal).toBe("SIGKILL");
  expect(recover(folder).report.incident?.steps[0]?.state).toBe("undone");
  expect(existsSync(join(folder, "aside"))).toBe(false);
});
