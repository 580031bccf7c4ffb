import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "@holdfast/config";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

test("the README's example works as written", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-config-readme-"));
  try {
    mkdirSync(join(folder, "node_modules/@holdfast"), { recursive: true });
    symlinkSync(root, join(folder, "node_modules/@holdfast/config"));
    const example = /```js\n([^]*?)```/.exec(readme)?.[1] ?? "";
    writeFileSync(join(folder, "example.mjs"), example);
    const { PATH, NODE_OPTIONS } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=@holdfast/source", "example.mjs"],
      { cwd: folder, encoding: "utf8", env: { PATH, NODE_OPTIONS, TMPDIR: folder } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const printed = /^\/\/ (slip\.yaml.*)$/m.exec(example)?.[1];
    expect(stdout).toBe(`workspace 2m 30\n${printed}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the README names every section", () => {
  const missing = Object.keys(configSchema.properties).filter((name) => !readme.includes(name));
  expect(missing).toEqual([]);
});
