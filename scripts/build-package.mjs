// Bundles the package of the current folder into `dist`, beside the declarations that tsc made:
// one file for each entry point, and a chunk for what is loaded lazily or shared. Other packages
// stay imports. Entry points are the sources of package.json's `exports` and `bin`, and the
// arguments: files that are started by path, which land in `dist` itself, where `./name.js` is.
// Ends with 1 when a file of the output names one that is not there.
import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { build } from "rolldown";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));

const { output } = await build({
  input: entryPoints(),
  external: isOther,
  platform: "node",
  transform: { target: `node${manifest.engines.node.replace(">=", "")}` },
  // A warning here is a program that fails later.
  onLog: (_level, log) => {
    throw new Error(log.message);
  },
  output: {
    dir: "dist",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    sourcemap: true,
  },
});
refuseMissing(output);
removeStale(output);

/** Imports of packages that users install too; a development dependency would become ours. */
function isOther(specifier) {
  const { dependencies, peerDependencies } = manifest;
  const names = Object.keys({ ...dependencies, ...peerDependencies });
  return (
    isBuiltin(specifier) ||
    names.some((name) => specifier === name || specifier.startsWith(`${name}/`))
  );
}

function entryPoints() {
  const exported = Object.values(manifest.exports ?? {}).map((entry) => entry["@holdfast/source"]);
  const bins = Object.values(manifest.bin ?? {}).map((file) =>
    file.replace("/dist/", "/src/").replace(/\.js$/, ".ts"),
  );
  const started = process.argv.slice(2);
  return Object.fromEntries([
    ...[...exported, ...bins].map((file) => [withoutEnding(relative("src", file)), file]),
    ...started.map((file) => [withoutEnding(basename(file)), file]),
  ]);
}

/** What is started or loaded by path is a string to the bundler: it would not miss it. */
function refuseMissing(files) {
  for (const { fileName, code = "" } of files) {
    for (const [, named] of code.matchAll(/"(\.\.?\/[^"\s]+\.js(?:on)?)"/g)) {
      if (existsSync(join("dist", dirname(fileName), named))) continue;
      process.stderr.write(`dist/${fileName} names ${named}, which is not there\n`);
      process.exitCode = 1;
    }
  }
}

/** Removes what an earlier build left and this one does not have. */
function removeStale(files) {
  const sources = globSync("**/*.ts", { cwd: "src" }).map(withoutEnding);
  const current = new Set([
    ".tsbuildinfo",
    ...files.map(({ fileName }) => fileName),
    ...sources.flatMap((name) => [`${name}.d.ts`, `${name}.d.ts.map`]),
  ]);
  for (const entry of globSync("**/*", { cwd: "dist", withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !current.has(relative("dist", file))) rmSync(file);
  }
}

function withoutEnding(file) {
  return file.replace(/\.ts$/, "");
}
