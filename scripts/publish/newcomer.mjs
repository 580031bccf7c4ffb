// One package, installed alone by npm in an empty folder, used in every way that people use one.
import { lstat, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.mjs";

/** What a package may not bring along, for those who want only it. */
const UNWANTED = {
  "@holdfast/breaker": ["chromadb", "@holdfast/embedder", "@energetic-ai/core"],
  "@holdfast/metrics": ["chromadb", "opossum"],
  "@holdfast/recovery": ["chromadb", "opossum"],
  "@holdfast/policy": ["chromadb", "opossum", "@holdfast/memory"],
  "@holdfast/memory": ["chromadb", "@holdfast/chroma", "@energetic-ai/core"],
};

/** Installs it and tries it with each Node. Resolves to the size of what came with it. */
export async function installAlone({ manifest, folder, scratch, root, url, nodes }) {
  const home = join(scratch, "newcomers", manifest.name.replace("/", "+"));
  await emptyProject(home);
  await npm(home, url, "install", `${manifest.name}@${manifest.version}`);
  await refuseUnwanted(manifest.name, home);
  const size = {
    bytes: await sizeOf(join(home, "node_modules")),
    packages: (await installedNames(home)).length,
  };
  if (manifest.bin === undefined) {
    await importEverywhere(manifest, home, { root, nodes });
    await runFirstExample(folder, home, { url, nodes });
  } else {
    for (const bin of Object.keys(manifest.bin)) await npx(home, url, bin, "--version");
    for (const node of nodes)
      await run(node, [manifest.bin.holdfast, "demo"], {
        cwd: join(home, "node_modules/holdfast"),
      });
  }
  return size;
}

/** The main job, as the README's first line for a newcomer has it. */
export async function runDemo(scratch, url) {
  const home = join(scratch, "newcomers", "demo");
  await emptyProject(home);
  await npx(home, url, "-y", "holdfast", "demo");
}

async function emptyProject(home) {
  await mkdir(home, { recursive: true });
  await writeFile(join(home, "package.json"), '{ "name": "newcomer", "private": true }\n');
}

/** A cache of its own: an earlier check's packages have the same names and versions. */
const environment = (home, url) => ({
  npm_config_registry: url,
  npm_config_cache: join(home, "../../npm-cache"),
});
const npm = (home, url, ...args) =>
  run("npm", [...args, "--no-audit", "--no-fund"], { cwd: home, env: environment(home, url) });
const npx = (home, url, ...args) => run("npx", args, { cwd: home, env: environment(home, url) });

async function refuseUnwanted(name, home) {
  const installed = await installedNames(home);
  const found = (UNWANTED[name] ?? []).filter((unwanted) => installed.includes(unwanted));
  if (found.length > 0) throw new Error(`brings ${found.join(", ")} along`);
}

/** From ESM, from `require`, and from TypeScript under both ways of resolving modules. */
async function importEverywhere(manifest, home, { root, nodes }) {
  const names = Object.keys(manifest.exports)
    .filter((path) => !path.endsWith(".json"))
    .map((path) => manifest.name + path.slice(1));
  for (const [file, load] of [
    ["esm.mjs", (name) => `await import(${JSON.stringify(name)})`],
    ["require.cjs", (name) => `require(${JSON.stringify(name)})`],
  ]) {
    const lines = names.map(
      (name) => `if (Object.keys(${load(name)}).length === 0) throw ${JSON.stringify(name)};`,
    );
    await writeFile(join(home, file), `${lines.join("\n")}\n`);
    for (const node of nodes) await run(node, [file], { cwd: home });
  }
  const source = names.map(
    (name, at) => `import * as part${at} from "${name}";\nexport { part${at} };\n`,
  );
  await writeFile(join(home, "uses.mts"), source.join(""));
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["preserve", "bundler"],
  ]) {
    await run(
      process.execPath,
      [
        join(root, "node_modules/typescript/bin/tsc"),
        ...typescriptFlags(root),
        "--module",
        module,
        "--moduleResolution",
        moduleResolution,
        "uses.mts",
      ],
      { cwd: home },
    );
  }
}

/** Declarations are checked too: no skipLibCheck. Node's own types are the newcomer's to have. */
const typescriptFlags = (root) => [
  "--noEmit",
  "--strict",
  "--exactOptionalPropertyTypes",
  "--target",
  "es2024",
  "--lib",
  "es2024,esnext.disposable",
  "--typeRoots",
  join(root, "node_modules/@types"),
  "--types",
  "node",
];

/**
 * With what the README says to install for it, when that is more than the package. TypeScript only by
 * this Node: the oldest strips no types.
 */
async function runFirstExample(folder, home, { url, nodes }) {
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const [, language, example] = /```(js|ts)\n([^]*?)```/.exec(readme) ?? [];
  if (example === undefined) throw new Error("its README has no example");
  const [, wanted] = /^npm install (.+)$/m.exec(readme) ?? [];
  if (wanted !== undefined) await npm(home, url, "install", ...wanted.split(" "));
  const file = language === "js" ? "example.mjs" : "example.mts";
  for (const node of language === "js" ? nodes : [process.execPath]) {
    // Each begins anew: what one has stored is not there for the next.
    const cwd = await mkdtemp(join(home, "example-"));
    await writeFile(join(cwd, file), example);
    await run(node, ["--disable-warning=ExperimentalWarning", file], { cwd });
  }
}

async function installedNames(home) {
  const listed = await run("npm", ["ls", "--all", "--parseable"], { cwd: home });
  const mark = "node_modules/";
  return listed
    .split("\n")
    .filter((line) => line.includes(mark))
    .map((line) => line.slice(line.lastIndexOf(mark) + mark.length));
}

async function sizeOf(path) {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return stats.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
