import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { load } from "js-yaml";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { deadPort } from "../dead-port.ts";
import { BIN, type CliResult, NODE_OPTIONS, Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

function configure(port: number, more = ""): void {
  const store = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\n${more}`);
}

const run = (...args: string[]): Promise<CliResult> => sandbox.run(["health", ...args, "--json"]);

const statuses = ({ json }: CliResult): Record<string, string> =>
  Object.fromEntries(
    (json.data.services as { service: string; status: string }[]).map((each) => [
      each.service,
      each.status,
    ]),
  );

test("with nothing behind it: offline, exit 13, with the cause and a next command", async () => {
  configure(await deadPort());
  const result = await run();
  expect(result.status).toBe(13);
  expect(result.json.data).toMatchObject({
    status: "offline",
    cause: expect.stringMatching(/^tcp: .*ECONNREFUSED/),
  });
  expect(statuses(result)).toMatchObject({ chroma: "offline", memory: "healthy" });
});

test("a single check is not several", async () => {
  configure(await deadPort());
  const { stdout } = await sandbox.run(["health", "--service", "policy"]);
  expect(stdout).toMatch(/^healthy: the one check passes\n/);
});

test("a server that nobody used is started, and that it was not there is no trouble", async () => {
  await sandbox.run(["init"]);
  await sandbox.run(["memory", "add", "Ada prefers tea"]);
  await sandbox.run(["server", "stop"]);
  const result = await run();
  await sandbox.run(["server", "stop"]);
  expect(result).toMatchObject({ status: 0, json: { data: { status: "healthy" } } });
}, 120_000);

test("a server that its keeper gave up on: why, and a command to go on with", async () => {
  const store = "vector_store: {config: {persist_directory: data}}";
  const file = join(sandbox.folder, "holdfast.yaml");
  writeFileSync(file, `${store}\nrecovery: {risk_max: none, backoff_max: 0}\n`);
  await sandbox.run(["memory", "add", "Ada prefers tea"]);
  await sandbox.run(["server", "stop"]);
  truncateSync(join(sandbox.folder, "data/chroma.sqlite3"), 100);
  const { status, json } = await run();
  expect({ status, data: json.data }).toMatchObject({
    status: 13,
    data: {
      status: "offline",
      cause: expect.stringMatching(/^process: .*its risk is medium, so it is not run unasked/),
      next: "See the plan with: holdfast memory recover --dry-run",
    },
  });
  const told = await sandbox.run(["memory", "status", "--json"]);
  expect(told.json.data.verdict).toMatchObject({
    status: "unhealthy",
    cause: expect.stringMatching(/^the keeper gave up: /),
    next: "See the plan with: holdfast memory recover --dry-run",
  });
}, 120_000);

test("a policy that is wrong is told, and hides nothing else", async () => {
  configure(await deadPort());
  mkdirSync(join(sandbox.folder, "policies"));
  writeFileSync(join(sandbox.folder, "policies/broken.yaml"), "name: [");
  const result = await run();
  expect(result.status).toBe(13);
  expect(statuses(result)).toMatchObject({ policy: "degraded", chroma: "offline" });
});

test("what there is no service of is refused by name", async () => {
  configure(await deadPort());
  const { status, json } = await run("--service", "nonsense");
  expect(status).toBe(2);
  expect(json.error.hint).toContain("all, memory, breaker, outbox, chroma, backup, policy");
});

describe("over a real Chroma", () => {
  let chroma: TestChroma;
  beforeEach(async () => void (chroma = await startChroma()));
  afterEach(() => chroma.stop());

  test("healthy, until the server hangs", async () => {
    configure(chroma.port, "health: {timeout: 10}\n");
    await sandbox.run(["memory", "add", "Ada prefers tea"]);
    const before = await run();
    expect(before).toMatchObject({ status: 0, json: { data: { status: "healthy" } } });
    expect(before.json.data.next).toBeUndefined();
    chroma.pause();
    const hung = await run("--service", "chroma");
    chroma.resume();
    expect(hung).toMatchObject({ status: 13, json: { data: { status: "offline" } } });
  });

  test("a collection that is gone is missed", async () => {
    configure(chroma.port);
    await sandbox.run(["memory", "add", "Ada prefers tea"]);
    const place = "tenants/default_tenant/databases/default_database/collections/memories";
    await fetch(`http://127.0.0.1:${chroma.port}/api/v2/${place}`, { method: "DELETE" });
    expect(await run()).toMatchObject({
      status: 13,
      json: {
        data: {
          status: "unhealthy",
          cause: "collection: the collection memories is gone, with 1 records",
          next: expect.stringContaining("memory recover --dry-run"),
        },
      },
    });
  });

  test("a service of one's own is looked at beside the others, and a slow one hides none", async () => {
    configure(
      chroma.port,
      `health:
  services:
    hangs: {command: [sleep, "600"], timeout: 1}
    gone: {tcp: "127.0.0.1:${await deadPort()}"}
    works: {http: "http://127.0.0.1:${chroma.port}/api/v2/heartbeat"}
`,
    );
    const result = await run();
    expect(result.status).toBe(3);
    expect(statuses(result)).toMatchObject({
      hangs: "degraded",
      gone: "degraded",
      works: "healthy",
      chroma: "healthy",
    });
    expect((await run("--service", "works")).status).toBe(0);
  });

  test("production without a backup is degraded, and says how to make one", async () => {
    configure(chroma.port, "environment: production\n");
    expect((await run("--service", "backup")).json.data).toMatchObject({
      status: "degraded",
      next: "holdfast memory backup",
    });
  });

  test("the self-test runs, and --detailed tells of it later", async () => {
    configure(chroma.port);
    const before = await sandbox.run(["health", "--detailed"]);
    expect(before.stdout).toContain("never run");
    const tested = await run("--self-test");
    expect(tested.json.data.selfTest).toMatchObject({ passed: true });
    const after = await run("--detailed");
    expect(after.json.data.history.selfTest).toMatchObject({
      passed: true,
      parts: { breaker: expect.stringMatching(/^passed/), recovery: expect.any(String) },
    });
  });

  test("exports: YAML, JSON, OpenMetrics, and a page that is only replaced when asked", async () => {
    configure(chroma.port);
    await sandbox.run(["memory", "add", "Ada prefers tea"]);
    const health = (...args: string[]): Promise<CliResult> => sandbox.run(["health", ...args]);
    expect(load((await health("--export", "yaml")).stdout)).toMatchObject({ status: "healthy" });
    const json = JSON.parse((await health("--export", "json")).stdout) as object;
    expect(json).toMatchObject({ status: "healthy" });
    const metrics = (await health("--export", "openmetrics")).stdout;
    expect(metrics).toContain("memory_build_info");
    expect(metrics.endsWith("# EOF\n")).toBe(true);
    const page = join(sandbox.folder, "health.html");
    expect((await health("--report", "health.html")).status).toBe(0);
    const first = readFileSync(page, "utf8");
    expect(first).toContain("<title>healthy: Holdfast health</title>");
    expect((await health("--report", "health.html")).status).toBe(1);
    expect(readFileSync(page, "utf8")).toBe(first);
    expect((await health("--report", "health.html", "--force")).status).toBe(0);
    expect(readFileSync(page, "utf8")).not.toBe(first);
  });

  test("--watch looks until it is interrupted, an envelope a look", async () => {
    configure(chroma.port);
    const line = "health --service chroma --watch --interval 500ms --report watched.html --json";
    const child = spawn(process.execPath, [...NODE_OPTIONS, BIN, ...line.split(" ")], {
      cwd: sandbox.folder,
      env: sandbox.environment,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const looks: object[] = [];
    createInterface(child.stdout).on("line", (text) => {
      looks.push(JSON.parse(text) as object);
      if (looks.length === 2) child.kill("SIGINT");
    });
    expect(await once(child, "close")).toEqual([130, null]);
    expect(looks.length).toBeGreaterThan(1);
    expect(looks[0]).toMatchObject({ schema: "holdfast/health/v1", ok: true });
    // It was there from the first look on, and was written over by the later ones.
    expect(existsSync(join(sandbox.folder, "watched.html"))).toBe(true);
  });
});
