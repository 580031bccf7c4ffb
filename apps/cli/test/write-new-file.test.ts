import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULE = fileURLToPath(new URL("../src/write-new-file.ts", import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-write-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Calls a function of the module where a file may not grow beyond 64 KiB: the disk is full. */
function onFullDisk(name: string, path: string): string {
  const script = `
    const { ${name}: write } = await import(${JSON.stringify(MODULE)});
    write(${JSON.stringify(path)}, "x".repeat(200_000));`;
  const node = [process.execPath, "--conditions=@holdfast/source", "--input-type=module", "-e"];
  const { stderr } = spawnSync("bash", ["-c", 'ulimit -f 64; exec "$@"', "-", ...node, script], {
    encoding: "utf8",
  });
  return stderr;
}

// The first part was put in place of the whole file, and called written: the disk took no more.
test("no part of a file takes the place of a whole one", () => {
  const path = join(folder, "report.html");
  writeFileSync(path, "as it was");
  expect(onFullDisk("replaceFile", path)).toContain("EFBIG");
  expect(readdirSync(folder)).toEqual(["report.html"]);
  expect(readFileSync(path, "utf8")).toBe("as it was");
});

test("no part of a new file is left", () => {
  expect(onFullDisk("writeNewFile", join(folder, "report.html"))).toContain("EFBIG");
  expect(readdirSync(folder)).toEqual([]);
});
