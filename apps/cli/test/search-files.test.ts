import { expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesWith } from "../src/forget/search-files.ts";

// A purge ended as unexpected when a server's journal went away while the files were searched.
test("a file that goes away meanwhile holds nothing, and ends no search", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-search-"));
  try {
    const [fleeting, kept] = [join(folder, "a-journal"), join(folder, "kept")];
    for (const file of [fleeting, kept]) writeFileSync(file, "the xylophone");
    const needle = Buffer.from("xylophone");
    // Its length is asked for when a file's turn has come.
    const needles = new Proxy([needle], {
      get(target, key): unknown {
        rmSync(fleeting, { force: true });
        return Reflect.get(target, key);
      },
    });
    expect(filesWith(folder, needles)).toEqual([kept]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
