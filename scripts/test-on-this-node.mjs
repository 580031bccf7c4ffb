// Runs the tests of every package, or of those named by their folders, under the Node that runs this
// file; `pnpm test` takes the lockfile's. Build first: the command line is tested as it is shipped.
// node scripts/test-on-this-node.mjs [packages/breaker …]
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const given = process.argv.slice(2);
const folders = given.length > 0 ? given : globSync("{packages,apps}/*", { cwd: ROOT }).toSorted();
if (given.length === 0) folders.push("examples");

const environment = { ...process.env, HOLDFAST_TEST_BUILT: "1" };
if (process.versions.node.startsWith("22.")) {
  const lowering = new URL("node-22.mjs", import.meta.url);
  environment.NODE_OPTIONS = `--import=${lowering} ${process.env.NODE_OPTIONS ?? ""}`;
}

const failed = folders.filter((folder) => {
  const cwd = join(ROOT, folder);
  const { test } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")).scripts;
  const [node, ...words] = test.split(" ");
  if (node !== "node") throw new Error(`${folder} does not test by node: ${test}`);
  process.stdout.write(`\n== ${folder} under Node ${process.versions.node}\n`);
  return (
    spawnSync(process.execPath, words, { cwd, env: environment, stdio: "inherit" }).status !== 0
  );
});
for (const folder of failed) process.stdout.write(`FAILED: ${folder}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
