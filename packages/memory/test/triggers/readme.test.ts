import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { memoryScope, TriggerService, withMemory } from "@holdfast/memory";
import { workspace } from "../fixture.ts";

test("the README's example of triggers remembers what it says", async () => {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const [, example = ""] = /## Triggers\s+```js\nimport .*\n([^]*?)```/.exec(readme) ?? [];
  expect(example).toContain("withMemory");
  await using space = workspace();
  const memory = space.open({ waitMs: 0 });
  // oxlint-disable-next-line typescript/no-implied-eval -- the README's own text is what is tested
  const run = new Function(
    "memory",
    "memoryScope",
    "TriggerService",
    "withMemory",
    // Older Nodes do not parse it; what it does is to dispose at the end.
    `return (async () => {${example.replace("await using migration", "const migration").replace("} // remembered", "await migration[Symbol.asyncDispose]();\n} // remembered")}})()`,
  ) as (...given: unknown[]) => Promise<void>;
  await run(memory, memoryScope, TriggerService, withMemory);
  const texts = memory.list().memories.map(({ text }) => text);
  expect(texts.toSorted()).toEqual([
    "We keep SQLite",
    "deploy('staging') succeeded",
    "migration ended\n12 tables",
  ]);
});
