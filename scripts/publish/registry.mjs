// A registry of our own on loopback: our packages live in it alone, all others come through it from
// the registry that this machine is set up with.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./run.mjs";

/** Its own dependency is a moving tag, which not every registry has: pinned here. */
const VERDACCIO = {
  private: true,
  dependencies: { verdaccio: "6.10.4" },
  overrides: { "node-fetch": "2.7.0" },
};
const START_LIMIT_MS = 60_000;

/** Starts it in `folder`. Resolves once it answers. */
export async function startRegistry(folder) {
  const upstream = (await run("npm", ["config", "get", "registry"])).trim();
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.yaml"), configuration(upstream));
  await writeFile(join(folder, "package.json"), JSON.stringify(VERDACCIO));
  await run("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder });
  const program = join(folder, "node_modules/verdaccio/bin/verdaccio");
  const child = spawn(
    process.execPath,
    [program, "--config", "config.yaml", "--listen", `127.0.0.1:${port}`],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const url = `http://127.0.0.1:${port}/`;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  for (const until = Date.now() + START_LIMIT_MS; ; await sleep(200)) {
    if (child.exitCode !== null) throw new Error(`The registry ended:\n${output}`);
    if (await answers(url)) return { url, stop };
    if (Date.now() < until) continue;
    await stop();
    throw new Error(`The registry did not answer within ${START_LIMIT_MS} ms:\n${output}`);
  }
}

/** Ours are never looked for upstream: a name taken there must not stand in for what is tested. */
const configuration = (upstream) => `
storage: ./storage
max_body_size: 100mb
uplinks: { upstream: { url: ${JSON.stringify(upstream)}, maxage: 60m, timeout: 120s } }
packages:
  "@holdfast/*": { access: $all, publish: $all }
  holdfast: { access: $all, publish: $all }
  "**": { access: $all, proxy: upstream }
log: { type: stdout, format: pretty, level: warn }
`;

async function answers(url) {
  try {
    return (await fetch(`${url}-/ping`)).ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
