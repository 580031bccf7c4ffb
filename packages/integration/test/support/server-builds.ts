import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A build of Chroma's server to test against; `command` undefined: what runs on this machine. */
export interface TestedBuild {
  name: string;
  command: readonly string[] | undefined;
}

const TOOL = fileURLToPath(new URL("../../../../../shared/tools/newer-glibc", import.meta.url));

/**
 * The build that runs here and, where a newer C library can be had for it, today's.
 * `HOLDFAST_NEWER_GLIBC` is a program that prints the words to put before another one.
 */
export function testedBuilds(): TestedBuild[] {
  const here: TestedBuild = { name: "older build", command: undefined };
  const newer = newerCommand();
  return newer === undefined ? [here] : [here, { name: "newer build", command: newer }];
}

function newerCommand(): readonly string[] | undefined {
  const tool = process.env["HOLDFAST_NEWER_GLIBC"] ?? TOOL;
  if (!existsSync(tool)) return undefined;
  const folder = join(tmpdir(), `holdfast-glibc-${userInfo().uid}`);
  const { status, stdout } = spawnSync(tool, [folder], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const client = createRequire(import.meta.url).resolve("chromadb");
  const cli = join(
    client.slice(0, client.lastIndexOf(join("chromadb", "dist"))),
    "chromadb/dist/cli.mjs",
  );
  const command = [...stdout.trim().split(/\s+/), process.execPath, cli];
  const [program = "", ...args] = command;
  const probe = spawnSync(program, [...args, "--version"], { encoding: "utf8" });
  return probe.status === 0 ? command : undefined;
}
