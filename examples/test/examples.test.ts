import { expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const EXAMPLES = join(import.meta.dirname, "..");

/** What the comment at an example's end says that it prints. */
function promised(file: string): string {
  const [, comment = ""] = /^\/\/ Prints:\n([^]*)$/m.exec(readFileSync(file, "utf8")) ?? [];
  return comment.replaceAll(/^\/\/ ?/gm, "");
}

test.each(globSync("*.ts", { cwd: EXAMPLES }).toSorted())("%s prints what it says", (name) => {
  const file = join(EXAMPLES, name);
  const flags = ["--conditions=@holdfast/source", "--disable-warning=ExperimentalWarning"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(promised(file)).not.toBe("");
  expect(stdout).toBe(promised(file));
});
