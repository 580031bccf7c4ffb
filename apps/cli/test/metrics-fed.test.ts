import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
let chroma: TestChroma;

beforeEach(async () => {
  sandbox = new Sandbox();
  chroma = await startChroma();
});
afterEach(async () => {
  await chroma.stop();
  sandbox.remove();
});

async function value(metric: string): Promise<number | undefined> {
  const { stdout } = await sandbox.run([
    "health",
    "--service",
    "outbox",
    "--export",
    "openmetrics",
  ]);
  const line = stdout.split("\n").find((each) => each.startsWith(metric));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}

test("decisions, backups, drills and deployments come out under their names", async () => {
  const before = Date.now() / 1_000;
  const config = `vector_store: {config: {host: 127.0.0.1, port: ${chroma.port}}}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), config);
  mkdirSync(join(sandbox.folder, "policies"));
  writeFileSync(
    join(sandbox.folder, "policies/no-drafts.yaml"),
    "name: no-drafts\nconditions: [{type: contains, field: text, value: DRAFT}]\nactions: [{type: abort}]\n",
  );
  await sandbox.run(["memory", "add", "kept"]);
  await sandbox.run(["memory", "add", "a DRAFT"]);
  expect(await value('memory_policy_decisions_total{decision="abort",rule="no-drafts"}')).toBe(1);
  expect(await value("memory_backup_last_success_timestamp_seconds")).toBeUndefined();

  const made = await sandbox.run(["memory", "backup", "--output", "b.yaml"]);
  expect(made.status).toBe(0);
  expect(await value("memory_backup_last_success_timestamp_seconds")).toBeGreaterThan(before);
  const drilled = await sandbox.run(["memory", "backup", "verify", "b.yaml", "--drill"]);
  expect(drilled.status).toBe(0);
  expect(await value("memory_restore_last_verified_timestamp_seconds")).toBeGreaterThan(before);

  const deployed = await sandbox.run(["memory", "deploy", "holdfast.yaml", "--env", "development"]);
  expect(deployed.status).toBe(0);
  const { json } = await sandbox.run(["health", "--detailed", "--json", "--env", "development"]);
  expect(json.data.history.deployments).toMatchObject([
    { data: { outcome: "success", environment: "development" } },
  ]);
});
