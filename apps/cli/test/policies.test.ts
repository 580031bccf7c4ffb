import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { verifyWebhook } from "@holdfast/notify";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { type CliResult, Sandbox } from "./run-cli.ts";

let chroma: TestChroma;
let sandbox: Sandbox;

beforeAll(async () => {
  chroma = await startChroma();
  sandbox = new Sandbox();
  configure("");
});

afterEach(() => rmSync(join(sandbox.folder, "policies"), { recursive: true, force: true }));

afterAll(async () => {
  sandbox.remove();
  await chroma.stop();
});

function configure(more: string): void {
  const { host, port } = chroma;
  const store = `vector_store: {config: {host: ${host}, port: ${port}}}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}${more}\n`);
}

/** Rules for memories with the metadata `case: NAME`, so that tests do not meet. */
function rules(name: string, ...actions: string[]): void {
  mkdirSync(join(sandbox.folder, "policies"), { recursive: true });
  const conditions = `[{type: equals, field: metadata.case, value: ${name}}]`;
  writeFileSync(
    join(sandbox.folder, "policies", `${name}.yaml`),
    `name: ${name}\nconditions: ${conditions}\nactions:\n${actions.map((each) => `  - ${each}\n`).join("")}`,
  );
}

const run = (...args: string[]): Promise<CliResult> => sandbox.run([...args, "--json"]);

const add = (name: string, text: string, ...more: string[]): Promise<CliResult> =>
  run("memory", "add", text, "--meta", `case=${name}`, ...more);

/** What is in Chroma under that id; undefined when there is nothing. */
// oxlint-disable-next-line typescript/no-explicit-any -- as the envelope
async function stored(id: string): Promise<any> {
  const { json, status } = await run("memory", "get", id);
  if (status !== 0) return undefined;
  expect(json.data.degraded).toBe(false);
  return json.data.memory;
}

describe("each action does what it says, on a real Chroma", () => {
  test("abort: what it stops is not stored, and the command says by whom", async () => {
    rules("abort", "{type: abort, parameters: {reason: not this}}");
    const { status, json } = await add("abort", "a plan", "--id", "aborted");
    expect({ status, json }).toMatchObject({
      status: 1,
      json: {
        error: {
          code: "POLICY_ABORTED",
          message: "The policy abort stopped this memory.add: not this",
        },
      },
    });
    expect(await stored("aborted")).toBeUndefined();
  });

  test("add_tag, remove_tag, set_quality_score, update_memory: part of the write", async () => {
    rules(
      "change",
      "{type: add_tag, parameters: {tag: seen}}",
      "{type: remove_tag, parameters: {tag: draft}}",
      "{type: set_quality_score, parameters: {score: 0.9}}",
      '{type: update_memory, parameters: {text: "checked: {{text}}", metadata: {by: policy}}}',
    );
    const { json } = await add("change", "tea", "--tag", "draft");
    expect(json).toMatchObject({ ok: true, data: { revision: 1, durability: "stored" } });
    expect(await stored(json.data.id)).toMatchObject({
      text: "checked: tea",
      tags: ["seen"],
      metadata: { case: "change", by: "policy", quality_score: 0.9 },
      durability: "stored",
    });
  });

  test("archive_memory: kept, got and listed, and no longer recalled", async () => {
    rules("archive", "{type: archive_memory}");
    const { json } = await add("archive", "the archived zebra");
    expect(await stored(json.data.id)).toMatchObject({ tags: ["archived"] });
    const found = await run("memory", "search", "zebra", "--where", "case=archive");
    expect(found.json.data).toMatchObject({ degraded: false, hits: [] });
    const asked = await run("memory", "search", "zebra", "--tag", "archived");
    expect(asked.json.data.hits).toMatchObject([{ id: json.data.id }]);
    rmSync(join(sandbox.folder, "policies"), { recursive: true });
    const without = await run("memory", "search", "zebra", "--where", "case=archive");
    expect(without.json.data.hits).toEqual([]);
  });

  test("create_memory: one more, of the same owner", async () => {
    rules("create", '{type: create_memory, parameters: {text: "noted: {{text}}", tags: [note]}}');
    await add("create", "tea", "--user", "ada");
    const { json } = await run("memory", "list", "--tag", "note");
    expect(json.data.memories).toMatchObject([{ text: "noted: tea", scope: { user: "ada" } }]);
    expect(await stored(json.data.memories[0].id)).toMatchObject({ durability: "stored" });
  });

  test("recall_memory: what is known already is told", async () => {
    await run("memory", "add", "The cat is called Tom", "--id", "tom", "--user", "eve");
    rules("recall", "{type: recall_memory, parameters: {query: name of the cat, limit: 1}}");
    const { stderr, status } = await add("recall", "which cat", "--user", "eve");
    expect(status).toBe(0);
    expect(stderr).toContain("the policy recall recalls tom: The cat is called Tom");
  });

  test("delete_memory: the one that it names", async () => {
    await run("memory", "add", "old", "--id", "old");
    expect(await stored("old")).toMatchObject({ text: "old" });
    rules("delete", "{type: delete_memory, parameters: {id: old}}");
    expect((await add("delete", "new")).json.warnings).toEqual([]);
    expect(await stored("old")).toBeUndefined();
  });

  test("changes of another memory, and asynchronous ones, are done before the command ends", async () => {
    await run("memory", "add", "anchor", "--id", "anchor");
    rules(
      "other",
      "{type: add_tag, parameters: {tag: linked, id: anchor}}",
      "{type: add_tag, parameters: {tag: late}, async_execution: true, retry_count: 2}",
    );
    const { json } = await add("other", "tea");
    expect(await stored("anchor")).toMatchObject({ tags: ["linked"] });
    expect(await stored(json.data.id)).toMatchObject({ tags: ["late"] });
  });

  test("trigger_alert: the configured channels, else the console", async () => {
    rules("alert", '{type: trigger_alert, parameters: {message: "look: {{text}}"}}');
    expect((await add("alert", "smoke")).json.warnings).toEqual([
      expect.stringContaining("WARNING The policy alert matched a memory.add: look: smoke"),
    ]);
    const file = join(sandbox.folder, "alerts.log");
    configure(`alerts: {channels: [{type: file, path: ${file}}]}`);
    await add("alert", "fire");
    configure("");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      subject: "policy/alert",
      message: "look: fire",
      severity: "warning",
    });
  });

  test("log_event: a line in the workspace's log", async () => {
    rules("log", '{type: log_event, parameters: {message: "seen {{metadata.case}}", level: info}}');
    await add("log", "tea");
    const [log = ""] = globSync(join(sandbox.folder, ".holdfast/state/*/policy.log"));
    expect(readFileSync(log, "utf8")).toContain('"message":"seen log"');
  });

  test("execute_webhook: signed, idempotent, and only where it is allowed to go", async () => {
    const asked: { key: unknown; signed: boolean; body: unknown }[] = [];
    const server: Server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const signed = verifyWebhook(request.headers, body, "s3cret");
        asked.push({ key: request.headers["idempotency-key"], signed, body: JSON.parse(body) });
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    rules(
      "hook",
      `{type: execute_webhook, parameters: {url: "http://127.0.0.1:${port}/x", secret: {file: hook.key}}}`,
    );
    writeFileSync(join(sandbox.folder, "policies/hook.key"), "s3cret\n");
    expect((await add("hook", "tea")).json.warnings).toEqual([
      expect.stringContaining("could not carry out execute_webhook"),
    ]);
    configure("policies: {webhooks: {allow_addresses: [127.0.0.1]}}");
    expect((await add("hook", "tea")).json.warnings).toEqual([]);
    configure("");
    server.close();
    expect(asked).toMatchObject([
      { signed: true, body: { policy: "hook", event: { type: "memory.add", text: "tea" } } },
    ]);
    expect(asked[0]?.key).toMatch(/^[0-9a-f-]{36}\/hook\/0$/);
  });

  test("chain_policy and skip: the other rule is asked, what follows is left out", async () => {
    rules(
      "chain",
      "{type: chain_policy, parameters: {policy: second}}",
      "{type: add_tag, parameters: {tag: first}}",
      "{type: skip}",
      "{type: add_tag, parameters: {tag: never}}",
    );
    writeFileSync(
      join(sandbox.folder, "policies/second.yaml"),
      "{name: second, conditions: [{type: equals, field: metadata.case, value: chain}], actions: [{type: add_tag, parameters: {tag: second}}]}",
    );
    const { json } = await add("chain", "tea");
    expect(await stored(json.data.id)).toMatchObject({ tags: ["first", "second"] });
  });
});

describe("around the actions", () => {
  test("what holds a secret is redacted before any policy sees it", async () => {
    const key = `sk-ant-api03-${"aB3dE5fG7hJ9".repeat(8)}AA`;
    rules("leak", '{type: log_event, parameters: {message: "leaked: {{text}}"}}');
    configure("policies: {record_events: 10}");
    await add("leak", `my key is ${key}`);
    configure("");
    const files = globSync(join(sandbox.folder, ".holdfast/state/*/policy*"));
    const bytes = files.map((file) => readFileSync(file, "latin1")).join("");
    expect(bytes).toContain("leaked: my key is");
    expect(bytes).not.toContain(key);
  });

  test("a limit holds over commands", async () => {
    mkdirSync(join(sandbox.folder, "policies"), { recursive: true });
    writeFileSync(
      join(sandbox.folder, "policies/limit.yaml"),
      "{name: limit, conditions: [{type: equals, field: metadata.case, value: limit}, {type: rate_limit, rate_limit: 2, time_window: 3600, negate: true}], actions: [{type: abort, parameters: {reason: too many}}]}",
    );
    const outcomes = [];
    for (const text of ["a", "b", "c"]) outcomes.push((await add("limit", text)).status);
    expect(outcomes).toEqual([0, 0, 1]);
  });

  test("while a policy is wrong, nothing passes it, and the command says where", async () => {
    rules("broken", "{type: abrot}");
    const { status, json } = await add("broken", "tea");
    expect({ status, code: json.error.code }).toEqual({ status: 78, code: "POLICY_INVALID" });
    expect(json.error.message).toContain("policies/broken.yaml:4:12: actions[0].type");
    expect(json.error.message).toContain("did you mean abort?");
  });
});
