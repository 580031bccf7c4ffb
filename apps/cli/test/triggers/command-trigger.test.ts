import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;

beforeEach(() => {
  sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  const store = "vector_store: {config: {host: 127.0.0.1, port: 9}}";
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\noutbox: {wait: 0}\n`);
});
afterEach(() => sandbox.remove());

interface Listed {
  text: string;
  metadata: Record<string, unknown>;
}

async function done(): Promise<Listed[]> {
  const { json } = await sandbox.run([
    "memory",
    "list",
    "--tag",
    "command",
    "--json",
    "--no-trigger",
  ]);
  return json.data.memories.toReversed();
}

test("what was done is a memory, with outcome and duration, and only shown when it is asked for", async () => {
  await sandbox.run(["memory", "add", "Ada prefers tea", "--user", "ada"]);
  await sandbox.run(["memory", "get", "none"]);
  await sandbox.run(["memory", "search", "tea"]);
  expect(await done()).toMatchObject([
    {
      text: expect.stringMatching(
        /^holdfast memory add … .*ended with exit code 0 after [\d.]+ m?s$/,
      ),
      metadata: { command: "memory add", outcome: "success", exit_status: 0, category: "command" },
    },
    {
      text: expect.stringMatching(
        /^holdfast memory get none failed with exit code 1 \(MEMORY_NOT_FOUND\)/,
      ),
      metadata: { outcome: "error", error_code: "MEMORY_NOT_FOUND" },
    },
    { metadata: { command: "memory search", duration_ms: expect.any(Number) } },
  ]);
  const plain = await sandbox.run(["memory", "list", "--json"]);
  expect(plain.json.data).toMatchObject({ total: 1, memories: [{ text: "Ada prefers tea" }] });
  const found = await sandbox.run(["memory", "search", "holdfast memory tea", "--json"]);
  expect(found.json.data.hits).toMatchObject([{ text: "Ada prefers tea" }]);
  expect(
    (await sandbox.run(["memory", "list", "--all", "--json"])).json.data.total,
  ).toBeGreaterThan(3);
});

test("what was forgotten is in no command either", async () => {
  const { json } = await sandbox.run([
    "memory",
    "add",
    "xylophone lessons",
    "--meta",
    "k=marimba",
    "--json",
  ]);
  await sandbox.run(["memory", "search", "xylophone marimba"]);
  await sandbox.run(["memory", "forget", json.data.id, "--yes"]);
  const state = join(sandbox.folder, ".holdfast");
  for (const entry of readdirSync(state, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name), "latin1");
    expect([entry.name, bytes.includes("xylophone") || bytes.includes("marimba")]).toEqual([
      entry.name,
      false,
    ]);
  }
});

test("arguments are redacted", async () => {
  const password = ["hunter", "Ab", String(1234)].join("");
  await sandbox.run(["memory", "add", "first"]);
  await sandbox.run(["memory", "list", "--tag", `DB_PASSWORD=${password}`]);
  const [, listed] = await done();
  expect(listed?.text).toContain("DB_PASSWORD=[redacted:pair]");
});

test("nothing is created where nothing was, and commands that concern no workspace are none", async () => {
  for (const args of [
    ["completion", "bash"],
    ["--help"],
    ["memory", "--help"],
    ["memory", "nonsense"],
    ["hook", "install", "--undo"],
  ])
    await sandbox.run(args);
  await sandbox.run(["memory", "breaker", "nonsense"]);
  expect(existsSync(join(sandbox.folder, ".holdfast"))).toBe(false);
  await sandbox.run(["memory", "add", "first", "--no-trigger"]);
  await sandbox.run(["completion", "bash"]);
  expect(await done()).toEqual([]);
});

test.each([
  ["the option", ["--no-trigger"], {}],
  ["the environment", [], { HOLDFAST_TRIGGERS_ENABLED: "false" }],
  ["a key", ["--set", "triggers.commands=false"], {}],
])("%s turns it off", async (_what, more, environment) => {
  await sandbox.run(["memory", "add", "first", ...more], { environment });
  expect(await done()).toEqual([]);
});

test("every command offers the way out in its help", async () => {
  const { stdout } = await sandbox.run(["memory", "list", "--help"]);
  expect(stdout).toContain("--no-trigger");
});

test("policies decide on what is remembered of commands, and act on it", async () => {
  await sandbox.run(["memory", "add", "first", "--no-trigger"]);
  mkdirSync(join(sandbox.folder, "policies"));
  const rules = {
    "no-lists": {
      conditions: [
        { type: "equals", field: "type", value: "command" },
        { type: "contains", field: "text", value: "memory list" },
      ],
      actions: [{ type: "abort" }],
    },
    failures: {
      conditions: [{ type: "equals", field: "metadata.outcome", value: "error" }],
      actions: [
        { type: "add_tag", parameters: { tag: "look-here" } },
        { type: "create_memory", parameters: { text: "It failed: {{text}}" } },
      ],
    },
  };
  writeFileSync(join(sandbox.folder, "policies/commands.yaml"), JSON.stringify({ rules }));
  await sandbox.run(["memory", "list"]);
  await sandbox.run(["memory", "get", "none"]);
  expect(await done()).toMatchObject([
    {
      text: expect.stringContaining("memory get none"),
      tags: ["command", "holdfast", "look-here"],
    },
  ]);
  const { json } = await sandbox.run(["memory", "list", "--json", "--no-trigger"]);
  expect(json.data.memories).toMatchObject([
    { text: expect.stringMatching(/^It failed: holdfast memory get none/) },
    { text: "first" },
  ]);
  // What it declined is counted as well.
  const { stdout } = await sandbox.run(["health", "--export", "openmetrics", "--no-trigger"]);
  expect(stdout).toContain('memory_policy_decisions_total{decision="abort",rule="no-lists"} 1');
});
