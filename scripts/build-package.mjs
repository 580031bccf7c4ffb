// Bundles the package of the current folder into `dist`, beside the declarations that tsc made:
// one file for each entry point, and a chunk for what is loaded lazily or shared. Dependencies stay
// imports; development dependencies that the sources import become part of it. Entry points are the
// sources of package.json's `exports` and `bin`, and the arguments: files that are started by path,
// which land in `dist` itself, where `./name.js` is. `--together=a.ts,b.ts` makes these files and what
// they import one chunk; of several such chunks the first takes what they share.
// Ends with 1 when a file of the output names one that is not there.
import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "rolldown";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const { values: options, positionals: started } = parseArgs({
  allowPositionals: true,
  options: { together: { type: "string", multiple: true, default: [] } },
});

/** What bundled packages get in place of modules of Node that cost more than they use of them. */
const LIGHTER = new Map([
  // As a module it opens the standard streams.
  ["node:process", "export default globalThis.process;"],
  // It brings in the network.
  [
    "node:child_process",
    `const load = (_, name) => process.getBuiltinModule("node:child_process")[name];
    export default new Proxy({}, { get: load });`,
  ],
]);

const { output } = await build({
  input: entryPoints(),
  external: isOther,
  platform: "node",
  plugins: [lighterModules(), licencesOfOthers(), quickBuiltins()],
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
    // The declarations have them, and the maps.
    comments: { jsdoc: false },
    codeSplitting: { groups: options.together.map(oneChunk) },
    // With names of their own, chunks that are loaded lazily need no file in front of them.
    minifyInternalExports: false,
  },
});
refuseMissing(output);
removeStale(output);

function oneChunk(list) {
  const files = list.split(",").map((file) => resolve(file));
  return { name: withoutEnding(basename(files[0])), test: (id) => files.includes(id) };
}

/** What users install too, and Node itself. */
function isOther(specifier, importer) {
  const { dependencies, peerDependencies } = manifest;
  if (isBuiltin(specifier)) return !(isForeign(importer) && LIGHTER.has(specifier));
  return Object.keys({ ...dependencies, ...peerDependencies }).some(
    (name) => specifier === name || specifier.startsWith(`${name}/`),
  );
}

function isForeign(file = "") {
  return file.includes("/node_modules/");
}

function lighterModules() {
  const prefix = "\0lighter:";
  return {
    name: "lighter-modules",
    resolveId: (specifier, importer) =>
      isForeign(importer) && LIGHTER.has(specifier) ? prefix + specifier : undefined,
    load: (id) => (id.startsWith(prefix) ? LIGHTER.get(id.slice(prefix.length)) : undefined),
  };
}

/**
 * Takes Node's modules without `import`, which asks for every export of theirs and so loads what
 * is behind the lazy ones: with node:util also worker threads. In libraries too, which every command
 * starts with. Replaces lines one by one, so the maps stay right.
 */
function quickBuiltins() {
  const imported = /^import (?:(\w+)(?:, )?)?(\{[^}]*\})? from "(node:\w+)";$/gm;
  return {
    name: "quick-builtins",
    renderChunk(code) {
      const quick = code.replace(imported, (_line, whole, names, builtin) => {
        const taken = `globalThis.process.getBuiltinModule("${builtin}")`;
        const parts = names?.replaceAll(" as ", ": ");
        return [whole, parts]
          .filter((target) => target !== undefined)
          .map((target) => `const ${target} = ${taken};`)
          .join(" ");
      });
      return { code: quick, map: null };
    },
  };
}

/** Their licences ask to be told wherever a copy goes. */
function licencesOfOthers() {
  return {
    name: "licences-of-others",
    generateBundle() {
      const folders = [...this.getModuleIds()].filter(isForeign).map((id) => findRoot(dirname(id)));
      const texts = [...new Set(folders)].map((folder) => {
        const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const [licence] = globSync("{LICENSE,LICENCE,license,licence}*", { cwd: folder });
        if (licence === undefined) throw new Error(`${name} has no licence to copy`);
        return `${name} ${version}\n\n${readFileSync(join(folder, licence), "utf8").trim()}\n`;
      });
      if (texts.length === 0) return;
      const source = texts.toSorted().join("\n\n");
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY-LICENSES.txt", source });
    },
  };
}

/** The nearest folder upwards that holds a package. */
function findRoot(folder) {
  return existsSync(join(folder, "package.json")) ? folder : findRoot(dirname(folder));
}

function entryPoints() {
  // What is exported as one file is shipped as it stands.
  const exported = Object.values(manifest.exports ?? {}).flatMap(
    (entry) => entry["@holdfast/source"] ?? [],
  );
  const bins = Object.values(manifest.bin ?? {}).map((file) =>
    file.replace("/dist/", "/src/").replace(/\.js$/, ".ts"),
  );
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
