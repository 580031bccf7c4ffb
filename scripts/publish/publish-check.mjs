// What a newcomer gets: the versions are made, every package is published to a registry on
// loopback, then installed alone in an empty folder and used as its README says, with this Node, the
// oldest that the package takes, and the newest. What is not committed is not looked at.
// Run it with: pnpm run publish:check
import { existsSync } from "node:fs";
import { appendFile, glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installAlone, runDemo } from "./newcomer.mjs";
import { nodesFor } from "./nodes.mjs";
import { startRegistry } from "./registry.mjs";
import { run } from "./run.mjs";

const ROOT = join(import.meta.dirname, "../..");
const AT_ONCE = 2;

const scratch = await mkdtemp(join(tmpdir(), "holdfast-publish-"));
const checkout = join(scratch, "checkout");
const registry = await startRegistry(join(scratch, "registry"));
try {
  await run("git", ["clone", "--quiet", "--local", ROOT, checkout]);
  const published = await publish(registry.url);
  process.stdout.write(`published ${published.length} packages to a registry on loopback\n\n`);
  const failures = await checkAll(published, registry.url);
  failures.push(...(await failureOf("npx holdfast demo", () => runDemo(scratch, registry.url))));
  for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  await registry.stop();
  // What a failed example has started may write for a moment longer.
  await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

/** Makes the versions that the changesets ask for and publishes all that is public. */
async function publish(url) {
  const pnpm = (...args) => run("pnpm", args, { cwd: checkout });
  await pnpm("install", "--frozen-lockfile", "--prefer-offline");
  if (await hasChangesets()) await pnpm("exec", "changeset", "version");
  await pnpm("run", "build");
  const { host } = new URL(url);
  await appendFile(join(checkout, ".npmrc"), `registry=${url}\n//${host}/:_authToken=anyone\n`);
  await pnpm("exec", "changeset", "publish", "--no-git-tag");
  return publicPackages();
}

async function hasChangesets() {
  for await (const name of glob(".changeset/*.md", { cwd: checkout })) {
    if (!name.endsWith("README.md")) return true;
  }
  return false;
}

async function publicPackages() {
  const found = [];
  for await (const file of glob("{packages,apps}/*/package.json", { cwd: checkout })) {
    const manifest = JSON.parse(await readFile(join(checkout, file), "utf8"));
    if (manifest.private === true) continue;
    const folder = join(checkout, file, "..");
    if (!existsSync(join(folder, "README.md"))) throw new Error(`${file} has no README beside it`);
    found.push({ manifest, folder });
  }
  return found.toSorted((a, b) => a.manifest.name.localeCompare(b.manifest.name));
}

async function checkAll(published, url) {
  const waiting = [...published];
  const failures = [];
  const rows = new Map();
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { manifest, folder } = next;
      const check = async () => {
        const nodes = await nodesFor(manifest, scratch);
        const from = { manifest, folder, scratch, root: ROOT, url, nodes };
        rows.set(manifest.name, await installAlone(from));
      };
      failures.push(...(await failureOf(manifest.name, check)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  process.stdout.write("| Package | Installed alone | Packages |\n| --- | --- | --- |\n");
  for (const [name, { bytes, packages }] of [...rows].toSorted(([a], [b]) => a.localeCompare(b))) {
    process.stdout.write(`| \`${name}\` | ${(bytes / 1e6).toFixed(1)} MB | ${packages} |\n`);
    failures.push(...(await failureOf(name, () => compareWithReadme(name, bytes / 1e6))));
  }
  return failures;
}

/** The size that the README states, give or take what a dependency's next release may add. */
async function compareWithReadme(name, megabytes) {
  const readme = await readFile(join(checkout, "README.md"), "utf8");
  const row = readme.split("\n").find((line) => line.startsWith(`| [\`${name}\`]`)) ?? "";
  const stated = Number(/ ([\d.]+) MB/.exec(row)?.[1]);
  if (Math.abs(stated - megabytes) <= Math.max(0.2, megabytes * 0.2)) return;
  throw new Error(`README.md states ${stated} MB, it takes ${megabytes.toFixed(1)} MB`);
}

async function failureOf(what, check) {
  try {
    await check();
    return [];
  } catch (error) {
    return [`${what}: ${error.message}`];
  }
}
