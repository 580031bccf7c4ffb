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
  symlinkSync(root, join(folder, "node_modules/@holdfast/metrics"));
  writeFileSync(join(folder, "example.mjs"), example);
  const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, "example.mjs"], {
    cwd: folder,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("3 runs, p95 30000 ms, 1 trips");
  expect(stdout).toMatch(/budget left -(49$|48\.99)/m);
  expect(stdout).toContain(
    'tool_operation_duration_seconds_count{operation="load",outcome="success"} 1',
  );
});
