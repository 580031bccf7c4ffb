import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "./run-cli.ts";

const FIXTURES = new URL("../../../packages/config/test/fixtures/", import.meta.url).pathname;

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

const write = (name: string, text: string): void => writeFileSync(join(sandbox.folder, name), text);
const run = (...args: string[]): ReturnType<Sandbox["run"]> => sandbox.run(args);

const BAD = `circuit_breaker:
  enabled: yes
vector_store: {config: {host: h, token: s3cret}}
`;

describe("memory validate", () => {
  test("shows the line of each finding, but none with a secret in it", async () => {
    write("bad.yaml", BAD);
    const { status, stdout } = await run("memory", "validate", "bad.yaml");
    expect(status).toBe(4);
    expect(stdout).toContain("  2 |   enabled: yes\n    |            ^");
    expect(stdout).toContain("expected true or false; did you mean true?");
    expect(stdout).toContain("bad.yaml:3:41: vector_store.config.token: secrets are not written");
    expect(stdout).toContain("bad.yaml is not valid: 2 errors");
    expect(stdout).not.toContain("s3cret");
  });

  test("strictly, of the policies that it names too", async () => {
    write("holdfast.yaml", "policies: {directory: rules}\n");
    mkdirSync(join(sandbox.folder, "rules"));
    write("rules/one.yaml", "name: one\nconditions: [{type: alwys}]\nactions: [{type: skip}]\n");
    expect((await run("memory", "validate", "holdfast.yaml")).status).toBe(0);
    const { status, stdout } = await run("memory", "validate", "holdfast.yaml", "--strict");
    expect(status).toBe(4);
    expect(stdout).toContain("rules/one.yaml:2:21: conditions[0].type");
    expect(stdout).toContain("  2 | conditions: [{type: alwys}]");
    write("holdfast.yaml", "policies: {directory: rules, enabled: false}\n");
    expect((await run("memory", "validate", "holdfast.yaml", "--strict")).status).toBe(0);
  });

  test("speaks to scanners, reviews and programs", async () => {
    write("bad.yaml", BAD);
    const sarif = JSON.parse(
      (await run("memory", "validate", "bad.yaml", "--format", "sarif")).stdout,
    );
    expect(sarif).toMatchObject({
      version: "2.1.0",
      runs: [{ tool: { driver: { name: "holdfast" } } }],
    });
    expect(sarif.runs[0].results[0]).toMatchObject({
      ruleId: "wrong-type",
      level: "error",
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "bad.yaml" },
            region: { startLine: 2, startColumn: 12 },
          },
        },
      ],
    });
    const github = await run("memory", "validate", "bad.yaml", "--format", "github");
    expect(github.stdout.split("\n")[0]).toMatch(
      /^::error file=bad\.yaml,line=2,col=12,title=wrong-type::circuit_breaker\.enabled: is "yes"/,
    );
    const plain = JSON.parse(
      (await run("memory", "validate", "bad.yaml", "--format", "json")).stdout,
    );
    expect(plain).toMatchObject({ valid: false, kind: "config", counts: { error: 2 } });
    const { json, status } = await run("memory", "validate", "bad.yaml", "--json");
    expect([status, json.ok, json.data.valid]).toEqual([4, true, false]);
  });

  test("a warning is a finding only strictly, and a note never is", async () => {
    write("warned.yaml", "vector_store: {config: {ssl: true}}\n");
    expect((await run("memory", "validate", "warned.yaml")).status).toBe(0);
    expect((await run("memory", "validate", "warned.yaml", "--strict")).status).toBe(4);
    copyFileSync(join(FIXTURES, "both-paths.yaml"), join(sandbox.folder, "real.yaml"));
    const { status, stdout } = await run("memory", "validate", "real.yaml", "--strict");
    expect([status, stdout]).toEqual([0, expect.stringContaining("note: ")]);
  });

  test("knows a policy from a configuration", async () => {
    write("policy.yaml", "rules:\n  keep: {name: keep}\n");
    const { status, json } = await run("memory", "validate", "policy.yaml", "--json");
    expect([status, json.data.kind]).toEqual([4, "policy"]);
    expect(json.data.findings[0]).toMatchObject({ line: 2, column: 9 });
  });

  test("text in a file cannot steer the terminal or end a workflow command", async () => {
    write("odd.yaml", '"a\\u001b[2Jb\\n::warning::x": 1\n');
    const text = await run("memory", "validate", "odd.yaml");
    expect(text.stdout).not.toContain("\u001b");
    const github = await run("memory", "validate", "odd.yaml", "--format", "github");
    expect(github.stdout.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("memory generate", () => {
  test("writes what memory validate --strict accepts, and replaces nothing unasked", async () => {
    for (const name of ["development", "testing", "staging", "production"]) {
      const made = await run("memory", "generate", "--env", name, "--output", `${name}.yaml`);
      expect(made.status).toBe(0);
      expect((await run("memory", "validate", `${name}.yaml`, "--strict")).stdout).toMatch(
        /is valid/,
      );
    }
    const before = readFileSync(join(sandbox.folder, "testing.yaml"), "utf8");
    const again = await run("memory", "generate", "--output", "testing.yaml", "--json");
    expect([again.status, again.json.error.code]).toEqual([1, "FILE_EXISTS"]);
    expect(readFileSync(join(sandbox.folder, "testing.yaml"), "utf8")).toBe(before);
    await run("memory", "generate", "--output", "testing.yaml", "--minimal", "--force");
    expect(statSync(join(sandbox.folder, "testing.yaml")).size).toBeLessThan(before.length / 3);
  });

  test("an environment that there is not is refused", async () => {
    const { status, stderr } = await run("memory", "generate", "--env", "prodction");
    expect([status, stderr]).toEqual([2, expect.stringContaining("Did you mean production?")]);
  });
});

test("config import writes only where it is told to, and names what it drops", async () => {
  const older = join(FIXTURES, "older-layout.yaml");
  const dry = await run("config", "import", older);
  expect(dry.stdout).toContain("Nothing was written");
  expect(dry.stdout).toMatch(/validation_strict +is holdfast memory validate --strict now/);
  await run("memory", "config", "import", older, "--output", "holdfast.yaml");
  const explained = await run("config", "explain", "outbox.wait", "--json");
  expect(explained.json.data.keys[0]).toMatchObject({ value: 5, layer: "file" });
  copyFileSync(older, join(sandbox.folder, "holdfast.yaml"));
  expect((await run("memory", "status")).stderr).toContain("holdfast config import FILE");
});

test("config explain tells the layers, the winner first", async () => {
  write("holdfast.yaml", "outbox:\n  wait: 2\n");
  sandbox.environment["HOLDFAST_OUTBOX_WAIT"] = "4";
  const { stdout } = await run("config", "explain", "outbox.wait", "--set", "outbox.wait=5");
  expect(stdout).toMatch(/^outbox\.wait: 5\n[^]*decided by --set outbox\.wait\n/);
  expect(stdout).toMatch(
    /over HOLDFAST_OUTBOX_WAIT, which says 4\n.*holdfast\.yaml:2:3, which says 2/,
  );
  expect((await run("config", "explain", "outbox.wiat")).status).toBe(2);
});

// A webhook's address with its key stood in what deploy would not show.
test("config explain shows no secret in a value that is none by its key, as deploy does not", async () => {
  const key = ["xoxb", "123456789012", "123456789012", "AbCdEfGhIjKlMnOpQrStUvWx"].join("-");
  const hooks = [`https://example.org/hook/${key}`, "https://ops:hunter2@example.org/hook"];
  const channels = hooks.map((url) => `{type: webhook, url: "${url}"}`).join(", ");
  write("holdfast.yaml", `alerts: {channels: [${channels}]}\n`);
  for (const path of ["alerts.channels", "alerts"]) {
    const { status, stdout } = await run("config", "explain", path);
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining("https://ops:…@example.org/hook"),
    ]);
    expect(stdout).not.toMatch(/xoxb|hunter2/);
    expect((await run("config", "explain", path, "--json")).stdout).not.toMatch(/xoxb|hunter2/);
  }
});

test("--set holds for one command, and its slip is told", async () => {
  write("holdfast.yaml", "vector_store: {config: {host: 127.0.0.1, port: 9}}\n");
  const off = await run("memory", "add", "x", "--set", "enabled=false", "--json");
  expect(off.json.error.code).toBe("MEMORY_DISABLED");
  expect((await run("memory", "add", "x", "--json")).json.ok).toBe(true);
  const slip = await run("memory", "list", "--set=outbox.wiat=3");
  expect([slip.status, slip.stderr]).toEqual([78, expect.stringContaining("--set outbox.wait=…")]);
});

test("what stands above the file reaches the process that runs the server", async () => {
  const fixture = new URL("./fixtures/chroma-that-tells.mjs", import.meta.url).pathname;
  const command = JSON.stringify([process.execPath, fixture]);
  write("holdfast.yaml", `vector_store: {config: {command: ${command}}}\n`);
  write("holdfast.staging.yaml", "vector_store: {config: {persist_directory: over}}\n");
  sandbox.environment["HOLDFAST_VECTOR_STORE_CONFIG_ANONYMIZED_TELEMETRY"] = "true";
  const set = ["--set", "vector_store.config.allow_reset=true", "--set", "environment=staging"];
  // It only tells what it was given, and ends.
  expect((await run("server", "start", ...set, "--json")).json.ok).toBe(false);
  const told = (await run("server", "logs", ...set)).stdout;
  expect(told).toContain("allow_reset: true");
  expect(told).toContain("telemetry: True");
  expect(told).toContain(join(sandbox.folder, "over"));
});

test("schema prints JSON Schema, draft-07, with a versioned name", async () => {
  for (const kind of ["config", "policy"]) {
    const schema = JSON.parse((await run("schema", kind)).stdout);
    expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
    expect(schema.$id).toMatch(new RegExp(`/schema/${kind}/v1\\.json$`));
  }
});
