import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { Sandbox } from "./run-cli.ts";

let chroma: TestChroma;
let sandbox: Sandbox;

beforeEach(async () => {
  chroma = await startChroma();
  sandbox = new Sandbox();
  configure(`    headers: {X-Note: "hunter2-in-plain", X-From: {env: NOWHERE}}`);
});

afterEach(async () => {
  sandbox.remove();
  await chroma.stop();
});

function configure(more = ""): void {
  const { host, port } = chroma;
  const store = `vector_store:\n  config:\n    host: ${host}\n    port: ${port}\n${more}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}triggers: {enabled: false}\n`);
}

const run = (...args: string[]) =>
  sandbox.run(["memory", ...args, "--json"], { environment: { NOWHERE: "from the environment" } });

async function texts(): Promise<string[]> {
  const { json } = await run("list");
  return json.data.memories.map(({ text }: { text: string }) => text).toSorted();
}

test("backup, verify, drill, restore, undo: as a user meets them", async () => {
  await run("add", "one");
  await run("add", "two");
  const made = await run("backup");
  expect(made).toMatchObject({ status: 0 });
  const { path, memories } = made.json.data;
  expect(memories).toBe(2);
  expect(path).toContain(join(sandbox.folder, ".holdfast/backups/memories-"));
  for (const name of readdirSync(join(path, "..")).filter((file) => !file.startsWith(".")))
    expect(statSync(join(path, "..", name)).mode & 0o777).toBe(0o600);

  await run("add", "three");
  const dry = await run("restore", path, "--dry-run");
  expect(dry.json.data.difference).toMatchObject({ added: 0, removed: 1, unchanged: 2 });
  expect(await texts()).toEqual(["one", "three", "two"]);
  const asked = await run("restore", path);
  expect(asked).toMatchObject({ status: 2, json: { error: { code: "CONFIRMATION_NEEDED" } } });

  expect(await run("restore", path, "--yes")).toMatchObject({ status: 0 });
  expect(await texts()).toEqual(["one", "two"]);
  expect((await run("search", "three")).json.data.hits).toHaveLength(2);
  expect(await run("restore", "--undo", "--yes")).toMatchObject({ status: 0 });
  expect(await texts()).toEqual(["one", "three", "two"]);
  expect((await run("search", "three")).json.data).toMatchObject({ degraded: false });

  const drilled = await run("backup", "verify", path, "--drill");
  expect(drilled).toMatchObject({
    status: 0,
    json: { data: { memories: 2, drill: { compared: 2, queries: 2, recall: 1 } } },
  });
  const { backups } = (await run("status")).json.data.memory;
  expect(backups).toMatchObject({ last: { path }, lastDrill: { path } });
  const listed = await run("backup", "list");
  expect(listed.json.data.backups).toMatchObject([{ path, memories: 2 }]);
}, 120_000);

test("no secret goes into a backup, and the configuration comes back without", async () => {
  await run("add", "one");
  const file = join(sandbox.folder, "holdfast.yaml");
  const hooks = ["https://x.example/h?key=hunter2", "https://u:hunter2@x.example/h"];
  const channels = hooks.map((url) => `{type: webhook, url: "${url}"}`).join(", ");
  writeFileSync(file, `${readFileSync(file, "utf8")}alerts: {channels: [${channels}]}\n`);
  mkdirSync(join(sandbox.folder, "policies"));
  const webhook = `# token: ghp_0123456789abcdefghijABCDEFGHIJ012345
name: hook
description: "see https://u:hunter2@x.example"
conditions: [{type: equals, field: type, value: error}]
actions: [{type: skip}]
`;
  writeFileSync(join(sandbox.folder, "policies/hook.yaml"), webhook);
  const json = '{"name": "j", "description": "see https://u:hunter2@x.example"}';
  writeFileSync(join(sandbox.folder, "policies/j.json"), json);
  const output = join(sandbox.folder, "b.yaml");
  const made = await run("backup", "--output", output, "--include-policies");
  expect(made.json.warnings.join()).toContain("vector_store.config.headers.X-Note is a secret");
  const manifest = readFileSync(output, "utf8");
  expect(manifest).not.toMatch(/hunter2|ghp_|from the environment/);
  expect(manifest).toMatch(/X-From:\s+env: NOWHERE/);
  expect(manifest).toContain("policies/hook.yaml");
  expect(manifest).toContain("policies/j.json");
  expect(manifest).toContain("env: HOLDFAST_VECTOR_STORE_CONFIG_HEADERS_X_NOTE");

  configure();
  const before = readFileSync(file, "utf8");
  // What is missing is named, and nothing put in force without it.
  const early = await run("restore", output, "--config-only", "--yes");
  expect(early.stdout).toContain("HOLDFAST_ALERTS_CHANNELS_0_URL is not set");
  expect(readFileSync(file, "utf8")).toBe(before);
  const environment = Object.fromEntries(
    hooks.map((url, at) => [`HOLDFAST_ALERTS_CHANNELS_${at}_URL`, url]),
  );
  const args = ["memory", "restore", output, "--config-only", "--yes", "--json"];
  const restored = await sandbox.run(args, { environment });
  expect(restored).toMatchObject({ status: 0 });
  const [, policy, { keptAs }] = restored.json.data.files;
  expect(JSON.parse(readFileSync(policy.file, "utf8"))).toMatchObject({ name: "j" });
  expect(readFileSync(keptAs, "utf8")).toBe(before);
  expect(readFileSync(file, "utf8")).toContain("X-From");
});

test("with Chroma down it is partial, exit 3; a restore then changes nothing, exit 13", async () => {
  await run("add", "one");
  await chroma.stop();
  await run("add", "queued");
  const output = join(sandbox.folder, "b.yaml");
  const made = await run("backup", "--output", output);
  expect(made).toMatchObject({ status: 3, json: { ok: true, data: { memories: 2, queued: 1 } } });
  expect(made.json.warnings.join()).toContain("partial");
  expect((await run("restore", output, "--yes")).status).toBe(13);
  expect(await texts()).toEqual(["one", "queued"]);
});

test("a damaged backup is named and refused, exit 14; one of the same name is not replaced", async () => {
  await run("add", "one");
  const output = join(sandbox.folder, "b.yaml");
  const { json } = await run("backup", "--output", output, "--config-only");
  expect(json.data.kind).toBe("configuration");
  expect(await run("backup", "--output", output)).toMatchObject({
    status: 2,
    json: { error: { code: "BACKUP_EXISTS" } },
  });
  await run("backup", "--output", output, "--force");
  writeFileSync(output, readFileSync(output, "utf8").replace("kind: full", "kind: fulL"));
  for (const command of [["backup", "verify"], ["restore"]])
    expect(await run(...command, output)).toMatchObject({
      status: 14,
      json: { error: { code: "BACKUP_INVALID", message: expect.stringContaining(output) } },
    });
});

test("options that would change nothing are refused", async () => {
  for (const args of [
    ["b.yaml", "--config-only", "--to-time", "2026-11-22"],
    ["b.yaml", "--config-only", "--collection", "other"],
    ["b.yaml", "--undo"],
    ["--undo", "--re-embed"],
    ["--undo", "--config-only"],
    ["b.yaml", "--to-time", "yesterday"],
    [],
  ])
    expect(await run("restore", ...args)).toMatchObject({
      status: 2,
      json: { error: { code: "USAGE" } },
    });
  const both = await run("backup", "--config-only", "--incremental");
  expect(both).toMatchObject({ status: 2, json: { error: { code: "USAGE" } } });
  expect((await run("backup", "--output", "b.zip")).status).toBe(2);
  expect(await run("restore", "--undo")).toMatchObject({
    status: 1,
    json: { error: { code: "RESTORE_UNDO_MISSING" } },
  });
}, 120_000);

test("a restore under another name leaves the memories in use alone", async () => {
  await run("add", "one");
  const output = join(sandbox.folder, "b.yaml");
  await run("backup", "--output", output);
  await run("add", "two");
  const restored = await run("restore", output, "--collection", "yesterday", "--yes");
  expect(restored).toMatchObject({ status: 0, json: { data: { into: "yesterday" } } });
  expect(await texts()).toEqual(["one", "two"]);
  configure("    collection_name: yesterday");
  expect(await texts()).toEqual(["one"]);
  expect((await run("search", "one")).json.data.hits).toHaveLength(1);

  // The undo that is named is that of the other name.
  const args = ["memory", "restore", output, "--collection", "today", "--yes"];
  const { stdout } = await sandbox.run(args);
  const undo = /holdfast memory (restore --undo.*)/.exec(stdout)?.[1]?.split(" ") ?? [];
  expect(await run(...undo, "--yes")).toMatchObject({ status: 0, json: { data: { memories: 0 } } });
}, 120_000);
