import { expect } from "@jest/globals";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MonitorProcess } from "../monitor-process.ts";
import { type Bench, keyTests } from "./key-tests.ts";

keyTests("backup", {
  directory: async (bench) => {
    bench.configureDead("backup: {directory: elsewhere}");
    await bench.run("memory", "backup", "--config-only");
    expect(existsSync(join(bench.folder, "elsewhere"))).toBe(true);
  },
  compression: async (bench) => {
    bench.configureDead("backup: {directory: b, compression: gzip}");
    await bench.run("memory", "add", "x");
    await bench.run("memory", "backup");
    expect(readdirSync(join(bench.folder, "b")).some((name) => name.endsWith(".gz"))).toBe(true);
  },
  schedule: async (bench) => {
    bench.configureDead('backup: {directory: b, schedule: "99 * * * *"}');
    expect((await bench.run("memory", "monitor", "--once")).status).toBe(78);
    bench.configureDead('backup: {directory: b, keep_last: 1, schedule: "* * * * * *"}');
    await using monitor = new MonitorProcess(bench.sandbox, ["--no-recover"]);
    const made = (): string[] =>
      existsSync(join(bench.folder, "b"))
        ? readdirSync(join(bench.folder, "b")).filter((name) => /^memories.*yaml$/.test(name))
        : [];
    const first = await monitor.until(() => made()[0]);
    // The next one prunes this one.
    await monitor.until(() => (made().includes(first) ? undefined : true));
  },
  include_policies: async (bench) => {
    bench.configureDead("backup: {include_policies: true}");
    mkdirSync(join(bench.folder, "policies"));
    writeFileSync(join(bench.folder, "policies/p.yaml"), POLICY);
    const { json } = await bench.run("memory", "backup");
    expect(readFileSync(json.data.path, "utf8")).toContain("file: policies/p.yaml");
  },
  keep_last: (bench) => keeps(bench, "keep_last: 3", 3),
  keep_daily: (bench) => keeps(bench, "keep_daily: 2", 2),
  keep_weekly: (bench) => keeps(bench, "keep_weekly: 3", 3),
  keep_monthly: (bench) => keeps(bench, "keep_monthly: 2", 2),
});

const POLICY = `name: p
conditions: [{type: equals, field: type, value: error}]
actions: [{type: skip}]
`;
const NONE = ["keep_daily: 0", "keep_weekly: 0", "keep_monthly: 0", "keep_last: 1"];

const DAY_MS = 86_400_000;

/** Of four backups, of today and 7, 35 and 70 days ago, how many a dry run would keep. */
async function keeps(bench: Bench, line: string, count: number): Promise<void> {
  const key = line.split(":")[0] as string;
  const others = NONE.filter((other) => !other.startsWith(key));
  bench.configureDead(`backup: {directory: b, ${[...others, line].join(", ")}}`);
  for (const days of [70, 35, 7, 0]) {
    const { json } = await bench.run("memory", "backup", "--config-only");
    backdate(json.data.path, days);
  }
  const { json } = await bench.run("memory", "backup", "prune", "--dry-run");
  expect(json.data.kept).toHaveLength(count);
}

/** As if the backup had been made so many days ago, with the seal that it would have. */
function backdate(path: string, days: number): void {
  const at = new Date(Date.now() - days * DAY_MS).toISOString();
  const body = readFileSync(path, "utf8")
    .replace(/^created_at: .*$/m, `created_at: '${at}'`)
    .replace(/^checksum: .*\n$/m, "");
  const seal = createHash("sha256").update(body).digest("hex");
  writeFileSync(path, `${body}checksum: sha256:${seal}\n`);
}
