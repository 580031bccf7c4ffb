import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export interface SourceImport {
  specifier: string;
  /** `import type` and `export type` vanish at run time. */
  typeOnly: boolean;
  reexport: boolean;
}

export interface SourceFile {
  /** Relative to its package, with `/`. */
  path: string;
  text: string;
  imports: readonly SourceImport[];
}

export interface WorkspacePackage {
  name: string;
  /** Relative to the repository, with `/`. */
  folder: string;
  /** What it imports when it is used. */
  dependencies: readonly string[];
  /** What its own tests import as well. */
  devDependencies: readonly string[];
  /** Subpaths that others may import: `.`, `./testing`. */
  exports: readonly string[];
  /** Sources that those subpaths name. */
  entries: readonly string[];
  files: readonly SourceFile[];
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  exports?: Record<string, string | Record<string, string>>;
}

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const IMPORT =
  /\b(import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']/g;

/** Every package of the repository, with what it states and what its sources really import. */
export function workspacePackages(): WorkspacePackage[] {
  const folders = readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}`);
  return [...folders, "apps/cli", "benchmarks"].map(readPackage);
}

export function readImports(text: string): SourceImport[] {
  return Array.from(text.matchAll(IMPORT), ([, verb, type, specifier, dynamic]) => ({
    specifier: specifier ?? dynamic ?? "",
    typeOnly: type !== undefined,
    reexport: verb === "export",
  }));
}

function readPackage(folder: string): WorkspacePackage {
  const manifest = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
  const exported = manifest.exports ?? {};
  return {
    name: manifest.name,
    folder,
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
    exports: Object.keys(exported),
    entries: Object.values(exported).flatMap((entry) => {
      const source = typeof entry === "string" ? entry : entry["@holdfast/source"];
      return source === undefined ? [] : [source.replace("./", "")];
    }),
    files: readSources(join(ROOT, folder)),
  };
}

function readSources(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !/\/(node_modules|dist|\.turbo)\//.test(path))
    .map((path) => {
      const text = readFileSync(path, "utf8");
      const inPackage = relative(folder, path).split(sep).join("/");
      return { path: inPackage, text, imports: readImports(text) };
    });
}

/** The path, within its package, that a relative import of `file` means. */
export function resolveWithin(file: SourceFile, specifier: string): string {
  return join(dirname(file.path), specifier).split(sep).join("/");
}
