import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configSchema } from "@holdfast/config";

const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");

test("the README names every section", () => {
  const missing = Object.keys(configSchema.properties).filter((name) => !readme.includes(name));
  expect(missing).toEqual([]);
});
