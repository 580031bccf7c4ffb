import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const LOCKFILE = fileURLToPath(new URL("../../../pnpm-lock.yaml", import.meta.url));

/** Packages of the lockfile, each with the optional ones that it picks its platform from. */
function optionalDependencies(text: string): [name: string, optional: string][] {
  const snapshots = text.slice(text.indexOf("\nsnapshots:\n"));
  const blocks = snapshots.matchAll(/^ {2}(\S[^\n]*):\n((?: {4}[^\n]*\n)+)/gm);
  return Array.from(blocks).flatMap(([, name = "", lines = ""]) => {
    const [, optional] = /^ {4}optionalDependencies:\n((?: {6}[^\n]*\n)+)/m.exec(lines) ?? [];
    return optional === undefined ? [] : [[name, optional]];
  });
}

// A lockfile made with only this platform's bindings at hand left every build on macOS and Windows
// without its bundler, its linter and turbo.
test("what is native for Linux is locked for macOS and Windows too", () => {
  const native = optionalDependencies(readFileSync(LOCKFILE, "utf8")).filter(([, optional]) =>
    optional.includes("linux"),
  );
  expect(native.length).toBeGreaterThan(5);
  const lacking = native.filter(
    ([, optional]) => !optional.includes("darwin") || !/\bwin(32|dows)/.test(optional),
  );
  expect(lacking.map(([name]) => name)).toEqual([]);
});
