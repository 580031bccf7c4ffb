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
test.each(["replaceFile", "writeNewFile"])("%s puts no part of a file in place", (name) => {
  const path = join(folder, "report.html");
  if (name === "replaceFile") writeFileSync(path, "as it was");
  expect(onFullDisk(name, path)).toContain("EFBIG");
  expect(readdirSync(folder)).toEqual(name === "replaceFile" ? ["report.html"] : []);
  if (name === "replaceFile") expect(readFileSync(path, "utf8")).toBe("as it was");
});
