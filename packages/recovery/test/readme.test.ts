import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { scratchFolder } from "./scratch.ts";

test("the README's example works as written", () => {
  const root = join(import.meta.dirname, "..");
  const [, example = ""] =
    /```js\n([^]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  const folder = scratchFolder();
  mkdirSync(join(folder, "node_modules/@holdfast"), { recursive: true });
  for (const name of ["core", "recovery"]) {
    symlinkSync(join(root, "..", name), join(folder, "node_modules/@holdfast", name));
  }
  writeFileSync(join(folder, "example.mjs"), example);
  // `using` needs Node 24; the package itself does not.
  const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, "example.mjs"], {
    cwd: folder,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("the shop ended: SIGKILL");
  expect(stdout).toMatch(/serving again\n$/);
});
