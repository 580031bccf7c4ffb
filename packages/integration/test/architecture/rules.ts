import { resolveWithin, type SourceFile, type WorkspacePackage } from "./workspace-packages.ts";

/**
 * Who may import whom. A leaf imports `core` at most; the reliability packages import leaves and
 * never each other; `memory` never imports `chroma`; private packages may import what they test.
 */
export const ALLOWED: Readonly<Record<string, readonly string[] | "anything">> = {
  "@holdfast/core": [],
  "@holdfast/sqlite": ["@holdfast/core"],
  "@holdfast/store": ["@holdfast/core"],
  "@holdfast/document": ["@holdfast/core"],
  "@holdfast/config": ["@holdfast/core", "@holdfast/document"],
  "@holdfast/embedder": ["@holdfast/core"],
  "@holdfast/breaker": ["@holdfast/core", "@holdfast/sqlite", "@holdfast/store"],
  "@holdfast/metrics": ["@holdfast/core", "@holdfast/sqlite", "@holdfast/store"],
  "@holdfast/notify": ["@holdfast/core"],
  "@holdfast/recovery": ["@holdfast/core", "@holdfast/sqlite", "@holdfast/store"],
  "@holdfast/policy": [
    "@holdfast/core",
    "@holdfast/document",
    "@holdfast/notify",
    "@holdfast/sqlite",
    "@holdfast/store",
  ],
  "@holdfast/chroma": [
    "@holdfast/core",
    "@holdfast/recovery",
    "@holdfast/sqlite",
    "@holdfast/store",
  ],
  "@holdfast/memory": [
    "@holdfast/breaker",
    "@holdfast/core",
    "@holdfast/document",
    "@holdfast/metrics",
    "@holdfast/notify",
    "@holdfast/policy",
    "@holdfast/recovery",
    "@holdfast/sqlite",
    "@holdfast/store",
  ],
  holdfast: "anything",
  "@holdfast/testkit": "anything",
  "@holdfast/integration": "anything",
  "@holdfast/benchmarks": "anything",
};

/** Every breach of the rules, one line each, naming the file. */
export function violations(packages: readonly WorkspacePackage[]): string[] {
  return packages.flatMap((pkg) => [
    ...graphViolations(pkg),
    ...pkg.files.flatMap((file) => fileViolations(pkg, file, packages)),
  ]);
}

/** A path that leads back to where it began, devDependencies included; undefined when none does. */
export function cycle(packages: readonly WorkspacePackage[]): readonly string[] | undefined {
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path, name];
    const pkg = byName.get(name);
    if (pkg === undefined || done.has(name)) return undefined;
    for (const next of [...pkg.dependencies, ...pkg.devDependencies]) {
      const found = visit(next, [...path, name]);
      if (found) return found;
    }
    done.add(name);
    return undefined;
  };
  return packages.map(({ name }) => visit(name, [])).find((found) => found !== undefined);
}

function graphViolations(pkg: WorkspacePackage): string[] {
  const allowed = ALLOWED[pkg.name];
  if (allowed === undefined) return [`${pkg.name} has no place in the graph: give it one`];
  if (allowed === "anything") return [];
  return pkg.dependencies
    .filter((name) => isOurs(name) && !allowed.includes(name))
    .map((name) => `${pkg.name} must not depend on ${name}`);
}

function fileViolations(
  pkg: WorkspacePackage,
  file: SourceFile,
  packages: readonly WorkspacePackage[],
): string[] {
  const at = `${pkg.folder}/${file.path}`;
  const found: string[] = [];
  const own = [pkg.name, ...pkg.dependencies];
  const known = file.path.startsWith("src/") ? own : [...own, ...pkg.devDependencies];
  for (const { specifier, reexport } of file.imports) {
    if (specifier.startsWith(".")) {
      if (file.path !== "jest.config.mjs" && resolveWithin(file, specifier).startsWith("..")) {
        found.push(`${at} imports ${specifier} from another package by path`);
      }
      if (reexport && file.path.startsWith("src/") && !pkg.entries.includes(file.path)) {
        found.push(`${at} re-exports, which only an entry of its package may`);
      }
    } else if (isOurs(specifier)) {
      const [name, subpath] = splitSpecifier(specifier);
      if (!known.includes(name)) found.push(`${at} imports ${name} without stating it`);
      const target = packages.find((each) => each.name === name);
      if (!target?.exports.includes(subpath)) found.push(`${at} imports ${specifier} deeply`);
    }
  }
  if (/^export\s+(type\s+)?\*/m.test(file.text)) found.push(`${at} exports *`);
  if (/(^|\/)(utils?|helpers?|common|types|manager)\.ts$/.test(file.path)) {
    found.push(`${at} is named for nothing`);
  }
  return found;
}

function isOurs(specifier: string): boolean {
  return specifier.startsWith("@holdfast/");
}

/** `@holdfast/store/testing` → its package and the subpath `./testing`. */
function splitSpecifier(specifier: string): [name: string, subpath: string] {
  const [scope, name, ...rest] = specifier.split("/");
  return [`${scope}/${name}`, rest.length === 0 ? "." : `./${rest.join("/")}`];
}
