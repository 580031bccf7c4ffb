import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { chromaStrategies } from "@holdfast/chroma";

const PAGE = readFileSync(
  new URL("../../../docs/read-a-recovery-plan.md", import.meta.url),
  "utf8",
);

type Deps = Parameters<typeof chromaStrategies>[0];

test("docs/read-a-recovery-plan.md has a row for every step that a plan may have, and no other", () => {
  // What there is to repair decides which steps there are; nothing is asked of it.
  const some = {} as never;
  const deps: Deps = { store: some, memory: some, target: some, isOwnCollection: some };
  const actions = [
    { ...deps, server: some, backup: some },
    { ...deps, orchestrator: some, createPlace: some },
  ].flatMap((each: Deps) => chromaStrategies(each).flatMap((strategy) => strategy.actions));
  const documented = [...PAGE.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name = ""]) => name);
  expect(documented.toSorted()).toEqual([...new Set(actions.map(({ name }) => name))].toSorted());
});
