// A job that cron starts every night ends long before anything could scrape it. What it measured
// stays in a file, over which the last run of the night, or a human, can ask.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricsStore, mappingOf, renderText } from "@holdfast/metrics";

const folder = mkdtempSync(join(tmpdir(), "cron-job-"));
const path = join(folder, "metrics.db");

// Seven nights: each opens the file, records, and is gone.
for (const failed of [false, false, true, false, false, false, false]) {
  const metrics = new MetricsStore({ path });
  metrics.record("import", failed ? "timeout" : "success", failed ? 30_000 : 1_200);
  metrics.count("rows", failed ? 0 : 500);
  metrics.close();
}

const metrics = new MetricsStore({
  path,
  slos: [{ name: "imports", objective: 0.8, operations: ["import"] }],
});
const { overall, slos } = metrics.summary({ since: "24h" });
console.log(`${overall.total} runs, ${overall.failed} failed`);
console.log(`error budget left: ${Math.round((slos[0]?.errorBudget.remaining ?? 0) * 100)} %`);

const totals = metrics.totals();
const lines = renderText(totals, mappingOf(totals, "nightly")).split("\n");
console.log(lines.find((line) => line.startsWith("nightly_rows_total")));
metrics.close();
rmSync(folder, { recursive: true });

// Prints:
// 7 runs, 1 failed
// error budget left: 29 %
// nightly_rows_total 3000
