import { describe, expect, test } from "@jest/globals";
import { ALLOWED, cycle, violations } from "./architecture/rules.ts";
import {
  readImports,
  type WorkspacePackage,
  workspacePackages,
} from "./architecture/workspace-packages.ts";

const packages = workspacePackages();

describe("the repository", () => {
  test("is read: every package, with its sources and their imports", () => {
    expect(packages.length).toBeGreaterThan(10);
    const memory = packages.find(({ name }) => name === "@holdfast/memory");
    const imported = memory?.files.flatMap(({ imports }) => imports.map((each) => each.specifier));
    expect(imported).toEqual(expect.arrayContaining(["@holdfast/store", "@holdfast/core"]));
  });

  test("keeps to the dependency direction", () => {
    expect(violations(packages)).toEqual([]);
  });

  test("has no cycle, devDependencies included", () => {
    expect(cycle(packages)).toBeUndefined();
  });

  test("allows only packages that exist", () => {
    const names = packages.map(({ name }) => name);
    expect(Object.keys(ALLOWED).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe("a breach", () => {
  const store = planted("@holdfast/store", "packages/store", {});

  test.each<[string, WorkspacePackage, string]>([
    [
      "of the graph",
      { ...planted("@holdfast/memory", "packages/memory", {}), dependencies: ["@holdfast/chroma"] },
      "@holdfast/memory must not depend on @holdfast/chroma",
    ],
    [
      "by an unknown package",
      planted("@holdfast/new", "packages/new", {}),
      "@holdfast/new has no place in the graph: give it one",
    ],
    [
      "by an undeclared import",
      planted("@holdfast/core", "packages/core", { "src/a.ts": importing("@holdfast/store") }),
      "packages/core/src/a.ts imports @holdfast/store without stating it",
    ],
    [
      "by a deep import",
      {
        ...planted("@holdfast/chroma", "packages/chroma", {
          "src/a.ts": importing("@holdfast/store/src/x.ts"),
        }),
        dependencies: ["@holdfast/store"],
      },
      "packages/chroma/src/a.ts imports @holdfast/store/src/x.ts deeply",
    ],
    [
      "by a relative import across packages",
      planted("@holdfast/core", "packages/core", {
        "test/a.test.ts": loading("../../store/src/index.ts"),
      }),
      "packages/core/test/a.test.ts imports ../../store/src/index.ts from another package by path",
    ],
    [
      "by export *",
      planted("@holdfast/core", "packages/core", { "src/index.ts": 'export * from "./a.ts";' }),
      "packages/core/src/index.ts exports *",
    ],
    [
      "by a second barrel",
      planted("@holdfast/core", "packages/core", {
        "src/all.ts": 'export {\n  a,\n  type B,\n} from "./a.ts";',
      }),
      "packages/core/src/all.ts re-exports, which only an entry of its package may",
    ],
    [
      "by a name that says nothing",
      planted("@holdfast/core", "packages/core", { "src/utils.ts": "" }),
      "packages/core/src/utils.ts is named for nothing",
    ],
  ])("%s is found", (_, breaching, line) => {
    expect(violations([store, breaching])).toEqual([line]);
  });

  test("of acyclicity is found", () => {
    const one = { ...planted("a", "packages/a", {}), dependencies: ["b"] };
    const other = { ...planted("b", "packages/b", {}), devDependencies: ["a"] };
    expect(cycle([one, other])).toEqual(["a", "b", "a"]);
  });
});

/** These two are written so that this file does not itself seem to import it. */
function importing(specifier: string): string {
  return `import { x } from "${specifier}";`;
}

function loading(specifier: string): string {
  return `await import("${specifier}");`;
}

function planted(
  name: string,
  folder: string,
  sources: Readonly<Record<string, string>>,
): WorkspacePackage {
  return {
    name,
    folder,
    dependencies: [],
    devDependencies: [],
    exports: ["."],
    entries: ["src/index.ts"],
    files: Object.entries(sources).map(([path, text]) => ({
      path,
      text,
      imports: readImports(text),
    })),
  };
}
