import { expect, test } from "@jest/globals";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { configSchema } from "@holdfast/config";

test("every section has a file that tests its keys, and no key is without a test", () => {
  const files = readdirSync(join(import.meta.dirname, "config-keys"));
  const named = files.flatMap((file) => /^(.+)\.test\.ts$/.exec(file)?.[1] ?? []);
  const sections = Object.keys(configSchema.properties).map((name) => name.replaceAll("_", "-"));
  expect(named.toSorted()).toEqual(sections.toSorted());
});
