// What starting the CLI costs, against `node -e 0`, in one run: rounds are interleaved, so that a
// busy machine slows all alike. Needs a build (pnpm build).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { report, type Result } from "./results.ts";
import { median } from "./statistics.ts";

const ROUNDS = 25;
const NODE = "node -e 0";
const CLI = fileURLToPath(new URL("../apps/cli/dist/bin.js", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const commands: Readonly<Record<string, readonly string[]>> = {
  [NODE]: ["-e", "0"],
  "holdfast --version": [CLI, "--version"],
  "holdfast memory status": [CLI, "memory", "status"],
  "holdfast memory validate": [CLI, "memory", "validate", "usual.yaml"],
};
const goals: Readonly<Record<string, number>> = {
  "holdfast --version": 1.6,
  "holdfast memory status": 3,
  "holdfast memory validate": 2.5,
};

try {
  run([CLI, "init"]);
  run([CLI, "memory", "generate", "--env", "production", "--output", "usual.yaml"]);
  report(results(measure()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function results(times: Readonly<Record<string, readonly number[]>>): Result[] {
  const base = median(times[NODE] ?? []);
  return Object.entries(goals).map(([name, atMost]) => {
    const ms = median(times[name] ?? []);
    const detail = `${ms.toFixed(1)} / ${base.toFixed(1)} ms`;
    return {
      subject: `\`${name}\` / \`${NODE}\``,
      value: ms / base,
      unit: "×",
      goal: { atMost },
      detail,
    };
  });
}

function measure(): Record<string, number[]> {
  const times: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const started = performance.now();
      run(args);
      // The first round warms the disk's cache.
      if (round > 0) (times[name] ??= []).push(performance.now() - started);
    }
  }
  return times;
}

function run(args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(process.execPath, args, { cwd: folder });
  if (error) throw error;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${String(stderr)}`);
}
