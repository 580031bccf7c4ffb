import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KernelLock } from "@holdfast/sqlite";
import { startChroma } from "@holdfast/testkit";
import { deadPort } from "./dead-port.ts";
import { type CliResult, Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
let stop: (() => Promise<unknown>)[];

beforeEach(() => {
  sandbox = new Sandbox();
  stop = [];
});

afterEach(async () => {
  for (const end of stop) await end();
  sandbox.remove();
});

const run = (...args: string[]): Promise<CliResult> => sandbox.run([...args, "--json"]);

function write(text: string, name = "holdfast.yaml"): void {
  writeFileSync(join(sandbox.folder, name), text);
}

const deployments = (): string =>
  join(sandbox.environment["XDG_DATA_HOME"] ?? "", "holdfast/deployments");

const server = (host: string, port: number, more = ""): string =>
  `environment: production\nvector_store: {config: {host: ${host}, port: ${port}}}\n${more}\n`;

test("a deployed server elsewhere: dry run, probe, use, drift, automatic rollback", async () => {
  await using chroma = await startChroma();
  write(server(chroma.host, chroma.port));
  const planned = await run(
    "memory",
    "deploy",
    "holdfast.yaml",
    "--env",
    "production",
    "--dry-run",
  );
  expect(planned).toMatchObject({ status: 0, json: { data: { dryRun: true, unchanged: false } } });
  expect(existsSync(deployments())).toBe(false);

  const first = await run("memory", "deploy", "holdfast.yaml", "--env", "production");
  expect(first).toMatchObject({ status: 0, json: { data: { number: 1, replaced: false } } });
  const elsewhere = join(sandbox.folder, "else/where");
  mkdirSync(elsewhere, { recursive: true });
  const added = await sandbox.run(["memory", "add", "kept", "--env", "production", "--json"], {
    cwd: elsewhere,
  });
  expect(added.json.data.durability).toBe("stored");
  // The same state as without a deployment: nothing that was queued before is left behind.
  const status = await run("memory", "list");
  expect(status.json.data.total).toBe(1);

  write(server("127.0.0.1", await deadPort()));
  const failed = await run("memory", "deploy", "holdfast.yaml", "--env", "production");
  expect(failed).toMatchObject({
    status: 1,
    json: { error: { code: "DEPLOYMENT_ROLLED_BACK", message: expect.stringContaining("again") } },
  });
  const after = await run("memory", "search", "kept", "--env", "production");
  expect(after.json.data).toMatchObject({ degraded: false, hits: [{ text: "kept" }] });

  const drift = await run("memory", "drift", "--env", "production", "--exit-code");
  expect(drift).toMatchObject({
    status: 5,
    json: { data: { clean: false, drift: [{ kind: "source-changed" }] } },
  });
  expect((await run("memory", "drift", "--env", "production")).status).toBe(0);
  const listed = await run("memory", "deployments", "--env", "production");
  expect(listed.json.data.deployments).toMatchObject([
    { number: 1, inForce: true, outcome: "proved" },
    { number: 2, inForce: false, outcome: "withdrawn" },
  ]);
}, 180_000);

test("a managed server: restarted under what is deployed, kept running as it was, rolled back", async () => {
  write("environment: staging\n");
  stop.push(() => sandbox.run(["server", "stop", "--env", "staging"]));
  expect((await run("memory", "deploy", "holdfast.yaml", "--env", "staging")).status).toBe(0);
  const before = (await run("server", "start", "--env", "staging")).json.data.pid as number;
  await run("memory", "add", "from before", "--env", "staging");

  write("environment: staging\nvector_store: {config: {allow_reset: true}}\n");
  mkdirSync(join(sandbox.folder, "policies"));
  writeFileSync(
    join(sandbox.folder, "policies/one.yaml"),
    "name: one\nconditions: [{type: never}]\nactions: [{type: skip}]\n",
  );
  const deployed = await run("memory", "deploy", "holdfast.yaml", "--env", "staging", "--backup");
  expect(deployed).toMatchObject({
    status: 0,
    json: {
      data: {
        number: 2,
        changes: [
          {
            path: "vector_store.config.allow_reset",
            before: "false (default)",
            after: "true",
            irreversible: "what a client resets meanwhile is gone",
          },
        ],
      },
    },
  });
  const snapshot = join(deployments(), "staging/snapshots/2");
  expect(readFileSync(join(snapshot, "configuration/holdfast.yaml"), "utf8")).toBe(
    "environment: staging\n",
  );
  expect(readdirSync(join(snapshot, "policies"))).toEqual(["one.yaml"]);
  const verified = await run("memory", "backup", "verify", join(snapshot, "memories.yaml"));
  expect(verified).toMatchObject({ status: 0, json: { ok: true } });

  const status = (await run("server", "status", "--env", "staging")).json.data;
  expect(status).toMatchObject({ answer: { ok: true }, keeper: { pinned: true } });
  expect(status.server.pid).not.toBe(before);
  const chromaConfig = join(sandbox.folder, ".holdfast/chroma.holdfast/chroma.yaml");
  expect(readFileSync(chromaConfig, "utf8")).toContain("allow_reset: true");

  const back = await run("memory", "rollback", "--env", "staging");
  expect(back).toMatchObject({ status: 0, json: { data: { number: 3, rollbackTo: 1 } } });
  expect(readFileSync(chromaConfig, "utf8")).not.toContain("allow_reset: true");
  const found = await run("memory", "search", "before", "--env", "staging");
  expect(found.json.data.hits).toMatchObject([{ text: "from before" }]);
}, 300_000);

test.each(["development", "testing", "staging", "production"])(
  "generated for %s: valid, deployed, in force, and without drift",
  async (environment) => {
    stop.push(() => sandbox.run(["server", "stop", "--env", environment]));
    const file = `${environment}.yaml`;
    expect((await run("memory", "generate", "--env", environment, "--output", file)).status).toBe(
      0,
    );
    expect(await run("memory", "validate", file, "--strict")).toMatchObject({ status: 0 });
    expect(await run("memory", "deploy", file, "--env", environment)).toMatchObject({ status: 0 });
    const status = await run("memory", "status", "--env", environment);
    expect(status.json.data.configuration).toMatchObject({ environment, source: "deployment" });
    const drift = await run("memory", "drift", "--env", environment, "--exit-code");
    expect(drift).toMatchObject({ status: 0, json: { data: { clean: true } } });
  },
  240_000,
);

test("a secret in a value that is none by its key is not shown", async () => {
  const key = ["xoxb", "123456789012", "123456789012", "AbCdEfGhIjKlMnOpQrStUvWx"].join("-");
  const url = `https://example.org/hook/${key}`;
  const channel = `{type: webhook, url: "${url}"}`;
  write(`environment: staging\nalerts: {channels: [${channel}]}\n`);
  const planned = await run("memory", "deploy", "holdfast.yaml", "--env", "staging", "--dry-run");
  expect(planned.status).toBe(0);
  expect(JSON.stringify(planned.json.data.changes)).toContain("alerts.channels");
  expect(planned.stdout).not.toContain(key);
});

test("the second of two deployments at once ends with 11", async () => {
  write("environment: testing\n");
  using held = KernelLock.tryAcquire(join(deployments(), "testing/lock"));
  expect(held).toBeDefined();
  const second = await run("memory", "deploy", "holdfast.yaml", "--env", "testing");
  expect(second).toMatchObject({ status: 11, json: { error: { code: "DEPLOYMENT_LOCKED" } } });
});

test.each([
  [["memory", "deploy", "holdfast.yaml"], 2, "USAGE"],
  [["memory", "deploy", "holdfast.yaml", "--env", "moon"], 2, "USAGE"],
  [["memory", "deploy", "holdfast.yaml", "--env", "production"], 2, "DEPLOYMENT_REFUSED"],
  [["memory", "deploy", "nothing.yaml", "--env", "staging"], 78, "CONFIG_NOT_FOUND"],
  [["memory", "deploy", "broken.yaml", "--env", "staging"], 78, "CONFIG_INVALID"],
  [["memory", "rollback", "--env", "staging"], 2, "DEPLOYMENT_UNKNOWN"],
  [["memory", "drift", "--env", "staging"], 2, "DEPLOYMENT_UNKNOWN"],
  [["memory", "status", "--env", "staging"], 78, "CONFIG_NOT_FOUND"],
])("%p ends with %p", async (args, status, code) => {
  write("environment: staging\n");
  write("environment: staging\noutbox: {wait: [}", "broken.yaml");
  expect(await run(...args)).toMatchObject({
    status,
    json: { error: { code, hint: expect.anything() } },
  });
});
