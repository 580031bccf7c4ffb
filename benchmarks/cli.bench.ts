// What starting the CLI costs, against `node -e 0`, in one run: rounds are interleaved, so that a
// busy machine slows all alike. Needs a build (pnpm build). Prints JSON.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROUNDS = 25;
const CLI = fileURLToPath(new URL("../apps/cli/dist/bin.js", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const commands: Readonly<Record<string, readonly string[]>> = {
  "node -e 0": ["-e", "0"],
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
  const times = measure();
  const base = median(times["node -e 0"] ?? []);
  const rows = Object.entries(times).map(([name, ms]) => ({
    name,
    medianMs: rounded(median(ms)),
    ratio: rounded(median(ms) / base),
    goal: goals[name],
  }));
  process.stdout.write(`${JSON.stringify({ node: process.version, rounds: ROUNDS, rows })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
