import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Ajv, type ValidateFunction } from "ajv";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { commands } from "../src/catalogue.ts";
import { publishedSchema, schemaNameOf } from "../src/published-schema.ts";
import { Sandbox } from "./run-cli.ts";

jest.setTimeout(600_000);

/** What they print belongs to the program that they run, or to the agent that runs them. */
const WITHOUT_ANSWER = ["run", "hook claude-code"];

const answering = commands.map(({ name }) => name).filter((name) => !WITHOUT_ANSWER.includes(name));

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const validators = new Map<string, ValidateFunction>();

/** What is wrong with a text by a published schema; empty when nothing is. */
function faults(name: string, data: unknown): string[] {
  const validate = validators.get(name) ?? ajv.compile(publishedSchema(name) ?? false);
  validators.set(name, validate);
  if (validate(data)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

test("every command that answers has a schema, and no schema is without its command", () => {
  const files = readdirSync(join(import.meta.dirname, "../schemas")).toSorted();
  const names = [...answering.map(schemaNameOf), "envelope"];
  expect(files).toEqual(names.map((name) => `${name}.json`).toSorted());
});

test("each is a draft-07 schema by the name that the envelope states", () => {
  for (const name of answering.map(schemaNameOf)) {
    const schema = publishedSchema(name) as { $schema: string; title: string };
    expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
    expect(schema.title).toBe(`holdfast/${name}/v1`);
    expect(() => ajv.compile({ ...schema, $id: `of-${name}` })).not.toThrow();
  }
});

test("what a schema does not know is a fault", () => {
  const receipt = { id: "x", revision: 1, durability: "stored" };
  expect(faults("memory-add", receipt)).toEqual([]);
  expect(faults("memory-add", { ...receipt, more: 1 })).not.toEqual([]);
  expect(faults("memory-add", { ...receipt, durability: "lost" })).not.toEqual([]);
  const envelope = { schema: "holdfast/memory-add/v1", ok: true, data: receipt, warnings: [] };
  expect(faults("envelope", envelope)).toEqual([]);
  expect(faults("envelope", { ...envelope, error: {} })).not.toEqual([]);
});

describe("what the commands print on a real Chroma is what their schemas say", () => {
  const sandbox = new Sandbox();
  const seen = new Set<string>();

  /** Runs a command with `--json`; each line must be an envelope with data as published. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into every shape
  async function answer(line: string, status = 0, input = ""): Promise<any> {
    const args = line.split(" ");
    const result = await sandbox.run([...args, "--json"], { input });
    const said = result.stdout + result.stderr;
    expect({ line, status: result.status, said }).toEqual({ line, status, said });
    const lines = result.stdout.trimEnd().split("\n");
    const told = lines.map((each) => JSON.parse(each) as { schema: string; data: unknown });
    for (const each of told) {
      expect({ line, faults: faults("envelope", each) }).toEqual({ line, faults: [] });
      const name = /^holdfast\/(.+)\/v1$/.exec(each.schema)?.[1] ?? "";
      if (!("data" in each)) continue;
      expect({ line, faults: faults(name, each.data) }).toEqual({ line, faults: [] });
      seen.add(name);
    }
    return told.at(-1)?.data;
  }

  beforeAll(() => {
    writeFileSync(join(sandbox.folder, "rule.yaml"), RULE);
    writeFileSync(join(sandbox.folder, "event.json"), '{"text": "my password is hunter2"}');
    writeFileSync(join(sandbox.folder, "older.yaml"), OLDER);
    writeFileSync(join(sandbox.folder, "wrong.yaml"), "config_version: 1\nkeeper: {idle: 1}\n");
  });
  afterAll(async () => {
    await sandbox.run(["server", "stop"]);
    sandbox.remove();
  });

  test("configuration", async () => {
    await answer("init");
    await answer("init", 1);
    await answer("memory validate holdfast.yaml");
    expect(await answer("memory validate wrong.yaml", 4)).toMatchObject({ valid: false });
    await answer("memory generate --env testing --minimal");
    await answer("memory generate --env production --output production.yaml");
    await answer("config explain outbox.wait");
    await answer("config explain");
    await answer("config import older.yaml --output newer.yaml");
    await answer("schema memory add");
    await answer("schema envelope");
    await answer("schema config");
    await answer("schema nonsense", 2);
    await answer("completion bash");
    await answer("hook install");
    await answer("hook install --undo");
  });

  test("policies", async () => {
    await answer("policy list");
    await answer("policy add rule.yaml --validate");
    await answer("policy add rule.yaml", 2);
    await answer("policy list");
    await answer("policy lint");
    await answer("policy explain event.json");
    await answer("policy test --context event.json --rule no-passwords");
    writeFileSync(join(sandbox.folder, "policies/no-passwords.policytest.yaml"), SUITE);
    await answer("policy test --coverage-threshold 1");
    await answer("policy replay", 1);
    await answer("memory add nothing-secret --set policies.record_events=10");
    expect(await answer("policy replay")).toMatchObject({ events: 1 });
    await answer("policy remove no-passwords --yes");
  });

  test("remembering and recalling", async () => {
    await answer("server install");
    await answer("server start");
    await answer("server status");
    const { id } = await answer("memory add - --user ada --tag colour --meta n=3", 0, "Ada: blue");
    await answer("memory search colours --user ada");
    expect(await answer(`memory get ${id}`)).toMatchObject({ memory: { id } });
    await answer("memory get nothing", 1);
    await answer("memory list --tag colour");
    await answer("memory scan --secrets");
    await answer("memory prune --dry-run");
    await answer("memory prune --yes");
    await answer("memory sync");
    await answer("memory status");
    await answer("memory stats");
    await answer("health");
    await answer("health --detailed --self-test");
    await answer("health --export openmetrics");
    await answer("server logs --lines 3");
  });

  test("backing up and restoring", async () => {
    const { path } = await answer("memory backup --include-policies");
    await answer("memory backup --incremental");
    await answer("memory backup --config-only --output configuration.yaml");
    await answer(`memory backup verify ${path} --drill`);
    await answer("memory backup list");
    await answer("memory backup prune --dry-run");
    await answer("memory backup prune --yes");
    await answer("memory add meanwhile --user ada");
    await answer(`memory restore ${path} --dry-run`);
    await answer(`memory restore ${path} --yes`);
    await answer("memory restore --undo --dry-run");
    expect(await answer("memory restore --undo --yes")).toMatchObject({ dryRun: false });
    await answer("memory restore configuration.yaml --config-only --dry-run");
  });

  test("repairing", async () => {
    await answer("memory breaker open --reason tested");
    await answer("memory add queued");
    const seq = refuseLast(join(sandbox.folder, ".holdfast/chroma.holdfast/memory.db"));
    await answer("memory search queued");
    await answer("memory status");
    await answer("memory breaker explain --operation write");
    await answer("memory breaker reset");
    await answer("memory breaker close");
    await answer("memory breaker reset");
    await answer("memory outbox list");
    expect(await answer(`memory outbox discard ${seq} --yes`)).toMatchObject({ discarded: 1 });
    await answer(`memory outbox discard ${seq} --yes`, 2);
    await answer("memory outbox retry");
    await answer("memory rebuild --yes");
    await answer("memory recover --dry-run");
    await answer("memory recover --force --test-after");
    await answer("memory incidents");
    await answer("memory quarantine list");
    await answer("memory quarantine prune --all --yes");
    await answer("memory monitor --once --no-recover");
  });

  test("deploying", async () => {
    await answer("memory deploy holdfast.yaml --env development --dry-run");
    await answer("memory deploy holdfast.yaml --env development");
    await answer("memory deploy holdfast.yaml --env development");
    writeFileSync(join(sandbox.folder, "second.yaml"), SECOND);
    await answer("memory deploy second.yaml --env development");
    await answer("memory deployments");
    expect(await answer("memory drift --env development")).toMatchObject({ clean: true });
    await answer("memory rollback --env development");
  });

  test("forgetting, and the end", async () => {
    // Purging is for when the store has forgotten, so it must be there and nothing may wait.
    await answer("server start");
    await answer("memory outbox retry");
    await answer("memory forget --user ada --dry-run");
    await answer("memory forget --user ada --purge --yes");
    await answer("server stop");
    await answer("server status", 13);
    await answer("memory status");
    expect(await answer("demo")).toMatchObject({ proved: true });
  });

  test("and no command was left out", () => {
    expect(answering.map(schemaNameOf).filter((name) => !seen.has(name))).toEqual([]);
  });
});

/** Leaves the last queued write as one that the store has refused, which a real one seldom does. */
function refuseLast(file: string): number {
  const database = new DatabaseSync(file);
  const row = database
    .prepare(
      `UPDATE entry SET state = 'dead', reason = 'it is too long'
       WHERE seq = (SELECT max(seq) FROM entry WHERE state = 'queued') RETURNING seq`,
    )
    .get();
  // As after the answer of a store that refuses one write: it has answered.
  database.exec("UPDATE collection SET attempts = 0, next_attempt_at = NULL, last_error = NULL");
  database.close();
  return row?.["seq"] as number;
}

const RULE = `name: no-passwords
conditions:
  - { type: contains, field: text, value: password }
actions:
  - { type: abort, parameters: { reason: a password } }
`;

const SUITE = `tests:
  - name: a password is not remembered
    events:
      - event: { text: my password is hunter2 }
        expect: { decision: abort }
      - event: { text: my favourite is blue }
        expect: { decision: allow }
`;

const OLDER = `global_enabled: true
performance: { cache_enabled: true }
`;

const SECOND = `config_version: 1
environment: development
vector_store:
  provider: chroma
  config: { collection_name: memories, persist_directory: .holdfast/chroma }
keeper: { idle_timeout: 10m }
`;
