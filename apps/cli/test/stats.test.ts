import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load } from "js-yaml";
import { deadPort } from "./dead-port.ts";
import { BIN, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;

async function workspace(): Promise<Sandbox> {
  const made = new Sandbox();
  const text = `vector_store: {config: {host: 127.0.0.1, port: ${await deadPort()}}}\n`;
  // On a busy machine the default wait is over before all of these commands are.
  const breaker = "circuit_breaker: {recovery_timeout: 1h}\n";
  writeFileSync(join(made.folder, "holdfast.yaml"), text + breaker);
  return made;
}

function stateDirectory({ folder }: Sandbox): string {
  const [file = ""] = globSync(join(folder, ".holdfast/state/*/memory.db"));
  return dirname(file);
}

beforeAll(async () => {
  sandbox = await workspace();
  await sandbox.run(["memory", "add", "Ada prefers tea", "--wait", "0"]);
  for (let n = 0; n < 6; n += 1) await sandbox.run(["memory", "search", "tea"]);
  await sandbox.run(["memory", "add", "x", "--ttl", "5m", "--id", ""]);
  await sandbox.run(["memory", "status"]);
});
afterAll(() => sandbox.remove());

describe("memory stats, of eight commands in as many processes", () => {
  test("counts and times what they asked, and what became of it", async () => {
    const { status, stderr, json } = await sandbox.run(["memory", "stats", "--json"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(json).toMatchObject({
      schema: "holdfast/memory-stats/v1",
      ok: true,
      warnings: [],
      data: {
        configuration: { source: "workspace", environment: "development" },
        memories: 1,
        ledger: { accepted: 1, queued: 1, residual: 0 },
        metrics: {
          memory: {
            overall: {
              total: 8,
              succeeded: 7,
              failed: 0,
              ignored: 1,
              successRate: 1,
              outcomes: { queued: 1, degraded: 6, refused: 1 },
              durations: { count: 7, averageMs: expect.any(Number), p95Ms: expect.any(Number) },
            },
            objective: { objective: 0.999, attained: 1, errorBudget: { remaining: 1 } },
          },
          store: {
            // The sixth search was refused: the store was not asked.
            overall: { total: 5, failed: 5, successRate: 0, outcomes: { failure: 5 } },
            objective: { attained: 0 },
          },
          captures: { queued: 1, refused: 1 },
          breaker: { trips: 1, orders: 0 },
          recovery: { attempts: 0 },
          last: {
            success: { operation: "search", atMs: expect.any(Number) },
            failure: { operation: "store.read", code: "STORE_UNAVAILABLE" },
          },
        },
      },
    });
    const { memory } = json.data.metrics;
    const runs = memory.timeline.points.map((point: { succeeded: number }) => point.succeeded);
    expect(runs.reduce((sum: number, count: number) => sum + count)).toBe(7);
    // Nobody watches a Chroma that runs elsewhere, so nobody can say how long it was away.
    expect(json.data.metrics.incidents).toBeUndefined();
  });

  test("tells people the same, without a sparkline where no terminal is", async () => {
    const { status, stdout } = await sandbox.run(["memory", "stats"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^24 h until /);
    expect(stdout).toMatch(/memory +8 runs, 100 % succeeded \(6 degraded, 1 queued\)\n/);
    expect(stdout).toMatch(/99\.9 % promised over 30 d: 100 % of the error budget left/);
    expect(stdout).toMatch(/store +5 runs, 0 % succeeded, 5 failed\n.*the error budget is over/);
    expect(stdout).toMatch(/breaker +1 trip; read open now/);
    expect(stdout).toMatch(/\nsearch +6 +100 % +0 % .*degraded 6\n/);
    expect(stdout).toMatch(/\nstore\.read +5 +0 % +100 % .*failure 5\n/);
    expect(stdout).not.toMatch(/[▁-█]/);
  });

  test("draws the course on a terminal", () => {
    const line = [process.execPath, ...NODE_OPTIONS, BIN, "memory", "stats", "--since", "1h"];
    const out = execFileSync("script", ["-qec", line.join(" "), "/dev/null"], {
      cwd: sandbox.folder,
      env: { ...sandbox.environment, TERM: "xterm" },
      encoding: "utf8",
    });
    // They may have been made in two steps.
    expect(out).toMatch(/runs +[▁-█ ]*█/);
    expect(out).toMatch(/a step is \d+ s/);
  });

  test("as YAML and JSON alone, the data of the envelope", async () => {
    const { json } = await sandbox.run(["memory", "stats", "--json"]);
    const alone = await sandbox.run(["memory", "stats", "--format", "json"]);
    const yaml = await sandbox.run(["memory", "stats", "--format", "yaml"]);
    const { captures } = json.data.metrics;
    expect(JSON.parse(alone.stdout)).toMatchObject({ memories: 1, metrics: { captures } });
    expect(load(yaml.stdout)).toMatchObject({ memories: 1, metrics: { captures } });
    const both = await sandbox.run(["memory", "stats", "--json", "--format", "json"]);
    expect(both.json).toMatchObject({ ok: true, data: { memories: 1 } });
  });

  test("of a window in which nothing ran, it says so and claims nothing", async () => {
    const { json } = await sandbox.run(["memory", "stats", "--since", "1ms", "--json"]);
    expect(json.data.metrics.breaker).toMatchObject({ trips: 0 });
    const unused = await workspace();
    try {
      const { status, stdout } = await unused.run(["memory", "stats"]);
      expect(status).toBe(0);
      expect(stdout).toMatch(/memory +0 runs\n.*nothing ran/);
      expect(readdirSync(stateDirectory(unused))).not.toContain("metrics.db");
    } finally {
      unused.remove();
    }
  });

  test.each([
    [["--since", "soon"], "METRICS_WINDOW_INVALID", "90s"],
    [["--since", "2999-01-01"], "METRICS_WINDOW_INVALID", "90s"],
    [["--format", "xml"], "USAGE", "text, json, yaml"],
    [["--format", "yaml"], "USAGE", "--json and --format yaml"],
  ])("%j is wrong, exit 2", async (options, code, told) => {
    const { status, json } = await sandbox.run(["memory", "stats", "--json", ...options]);
    expect({ status, json }).toMatchObject({ status: 2, json: { ok: false, error: { code } } });
    expect(`${json.error.message} ${json.error.hint}`).toContain(told);
  });
});

test("status shows success rate, p95, last success and last failure", async () => {
  const { stdout } = await sandbox.run(["memory", "status"]);
  expect(stdout).toMatch(/last 24 h +memory 8 runs, 100 % succeeded.*; p95 .*search [\d.]+ m?s/);
  expect(stdout).toMatch(/\n +store 5 runs, 0 % succeeded, 5 failed; p95 read /);
  expect(stdout).toMatch(/last success +search .* ago\n/);
  expect(stdout).toMatch(/last failure +store\.read .* ago, STORE_UNAVAILABLE openCollection/);
  expect(stdout).toMatch(/breaker +read open since .*: 5 failures in a row .*\n.*next probe at/);
  const { json } = await sandbox.run(["memory", "status", "--json"]);
  expect(json.data.metrics).toMatchObject({
    memory: { total: 8, successRate: 1, p95Ms: { search: expect.any(Number) } },
    last: { failure: { operation: "store.read" } },
  });
});

describe("metrics that cannot be kept harm no command", () => {
  test("a damaged file is set aside, and counting goes on", async () => {
    const own = await workspace();
    try {
      await own.run(["memory", "add", "one", "--wait", "0"]);
      const folder = stateDirectory(own);
      writeFileSync(join(folder, "metrics.db"), "x".repeat(20_000));
      expect(await own.run(["memory", "add", "two", "--wait", "0"])).toMatchObject({ status: 0 });
      const { json } = await own.run(["memory", "stats", "--json"]);
      expect(json.data).toMatchObject({ memories: 2, metrics: { captures: { queued: 1 } } });
      expect(json.data.metrics.file.setAside).toEqual([expect.stringContaining("damaged")]);
    } finally {
      own.remove();
    }
  });

  test("without a file that can be written they are missing, and status says so", async () => {
    const own = await workspace();
    try {
      await own.run(["memory", "status"]);
      const folder = stateDirectory(own);
      rmSync(join(folder, "metrics.db"), { force: true });
      mkdirSync(join(folder, "metrics.db"));
      expect(await own.run(["memory", "add", "one", "--wait", "0"])).toMatchObject({ status: 0 });
      const status = await own.run(["memory", "status"]);
      expect(status).toMatchObject({ status: 0 });
      expect(status.stderr).toMatch(/^warning: the metrics cannot be read: /);
      const { json } = await own.run(["memory", "stats", "--json"]);
      expect(json).toMatchObject({ ok: false, error: { code: expect.stringMatching(/^SQLITE_/) } });
    } finally {
      own.remove();
    }
  });
});
