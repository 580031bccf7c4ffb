import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";

const obstacle = spawnSync("strace", ["-V"]).status === 0 ? undefined : "wants strace";
const underStrace = obstacle === undefined ? describe : describe.skip;

underStrace(`a replacement under strace${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  // Files alone were synced: a power cut could lose their names, and with them the only whole copy.
  test("each folder is on disk before what relies on it is done", () => {
    const scratch = mkdtempSync(join(tmpdir(), "holdfast-durably-"));
    try {
      const data = join(scratch, "data");
      const state = `${data}.holdfast`;
      mkdirSync(join(data, "segment"), { recursive: true });
      writeFileSync(join(data, "segment", "file"), "broken");
      const calls = traced(data, join(scratch, "trace"));
      const at = (call: RegExp, from = 0): number => {
        const found = calls.findIndex((line, index) => index >= from && call.test(line));
        expect([String(call), found]).not.toEqual([String(call), -1]);
        return found;
      };
      const synced = (path: string, from: number): number =>
        at(new RegExp(`^fsync\\(\\d+<${path}>\\)\\s+= 0`), from);
      const moved = at(/^rename\("[^"]*\/data", /);
      for (const folder of ["repair/segment", "repair"])
        expect(synced(`${state}/${folder}`, 0)).toBeLessThan(moved);
      const announced = at(/^rename\(.*swap\.json"\)/);
      expect(synced(state, announced)).toBeLessThan(moved);
      const placed = at(/^rename\("[^"]*\/repair", /);
      expect(synced(scratch, placed)).toBeLessThan(at(/^unlink\("[^"]*swap\.json"\)/));
      expect(synced(`${state}/quarantine/[^/>]+`, moved)).toBeGreaterThan(moved);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

/** The renames, removals and syncs of a replacement, in order. */
function traced(data: string, file: string): string[] {
  const fixture = join(import.meta.dirname, "../fixtures/replace.ts");
  const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
  const calls = "trace=rename,unlink,fsync";
  const { status, stderr } = spawnSync(
    "strace",
    ["-y", "-s", "512", "-e", calls, "-o", file, process.execPath, ...flags, fixture, data],
    { encoding: "utf8" },
  );
  expect([status, stderr]).toEqual([0, ""]);
  return readFileSync(file, "utf8").split("\n");
}
