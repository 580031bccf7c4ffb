// Runs every benchmark, one after the other, and writes what they report into README.md as one table.
// Needs a build (pnpm build), about six minutes, and a machine that does nothing else.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type Result, table } from "./results.ts";

const SUBJECTS = [
  "cli",
  "triggers",
  "breaker",
  "memory",
  "backup",
  "recovery",
  "metrics",
  "policy",
  "embedder",
];
const README = join(import.meta.dirname, "README.md");
const RESULTS = /(?<=<!-- results -->\n)[^]*(?=<!-- \/results -->)/;

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const collected = join(folder, "results.jsonl");
const load = (loadavg()[0] ?? Number.NaN).toFixed(1);
try {
  for (const subject of SUBJECTS) {
    process.stdout.write(`\n== ${subject}\n`);
    execFileSync("pnpm", ["run", `bench:${subject}`], {
      env: { ...process.env, BENCH_RESULTS: collected },
      stdio: "inherit",
    });
  }
  const lines = readFileSync(collected, "utf8").trimEnd().split("\n");
  const results = lines.map((line) => JSON.parse(line) as Result);
  const day = new Date().toISOString().slice(0, 10);
  const run = `One run, ${day}: Node ${process.version}, ${cpus().length} cores, load ${load} at its start.`;
  const readme = readFileSync(README, "utf8");
  writeFileSync(
    README,
    readme.replace(RESULTS, () => `\n${run}\n\n${table(results)}\n`),
  );
  execFileSync("pnpm", ["exec", "oxfmt", README], { stdio: "inherit" });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
