import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSecret } from "@holdfast/config";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "holdfast-secret-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("reads the variable, or the file without the line break at its end", () => {
  expect(readSecret({ env: "TOKEN" }, { TOKEN: "abc" })).toBe("abc");
  const file = join(folder, "token");
  writeFileSync(file, "two\nlines\n");
  expect(readSecret({ file }, {})).toBe("two\nlines");
});

test.each([
  [{ env: "TOKEN" }, /export TOKEN/],
  [{ file: "/nowhere/at/all" }, /Put the secret into/],
  [{ file: "/dev/null" }, /Put the secret into/],
])("says which reference leads nowhere: %j", (reference, hint) => {
  expect(() => readSecret(reference, { TOKEN: "" })).toThrow(
    expect.objectContaining({ code: "SECRET_UNAVAILABLE", hint: expect.stringMatching(hint) }),
  );
});
