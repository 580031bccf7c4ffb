import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;

beforeAll(() => {
  sandbox = new Sandbox();
  // A file is to name it.
  delete sandbox.environment["HOLDFAST_EMBEDDER_PROVIDER"];
  const write = (name: string, text: string): void =>
    writeFileSync(join(sandbox.folder, name), text);
  write("holdfast.yaml", "vector_store: {config: {host: 127.0.0.1, port: 9}}\n");
  write("syntax.yaml", "vector_store: [\n");
  write("slip.yaml", "circuit_breaker:\n  enabled: yes\n");
  write("secret.yaml", "vector_store: {config: {host: h, token: {env: NO_SUCH_TOKEN}}}\n");
  write("literal.yaml", "vector_store: {config: {host: h, token: s3cret}}\n");
  write("provider.yaml", "embedder: {provider: nonsense}\n");
  write("in-the-way.yaml", "vector_store: {config: {persist_directory: file/chroma}}\n");
  write(
    "alerts.yaml",
    "vector_store: {config: {host: 127.0.0.1, port: 9}}\nalerts: {channels: [{type: webhook, url: https://h.example, secret: {env: NO_SUCH_SECRET}}]}\n",
  );
  write("file", "");
  write("event.json", '{"text": "tea is at four"}');
  writeFileSync(join(sandbox.folder, "latin-1.yaml"), Buffer.from("text: caf\xe9\n", "latin1"));
  mkdirSync(join(sandbox.folder, "folder"));
  write("odd.yaml", "policies: {directory: odd}\n");
  mkdirSync(join(sandbox.folder, "odd/rules.yaml"), { recursive: true });
});

afterAll(() => sandbox.remove());

/** What is wrong, why, and the next command: [arguments, status, code, what, next]. */
const CASES: readonly [string[], number, string, RegExp, RegExp][] = [
  [["memory", "add"], 2, "USAGE", /missing required argument 'text'/, /holdfast memory add --help/],
  [["memory", "add", ""], 2, "MEMORY_INVALID", /text is empty/, /Nothing was stored/],
  [["memory", "add", "-x"], 2, "USAGE", /unknown option '-x'/, /memory add --help/],
  [["memory", "add", "x", "--meta", "novalue"], 2, "USAGE", /is not key=value/, /colour=blue/],
  [["memory", "add", "x", "--meta", 'k="a"b"'], 2, "USAGE", /is not quoted text/, /light blue/],
  [
    ["memory", "add", "x", "--meta", "hf:key=1"],
    2,
    "MEMORY_INVALID",
    /hf:key.* is reserved/,
    /another key/,
  ],
  [["memory", "add", "x", "--ttl", "soon"], 2, "DURATION_INVALID", /Not a duration/, /30s/],
  [["memory", "add", "x", "--ttl", "0"], 2, "MEMORY_INVALID", /lifetime must be/, /./],
  [["memory", "add", "x", "--user", ""], 2, "MEMORY_INVALID", /user is empty/, /./],
  [["memory", "serch", "x"], 2, "USAGE", /unknown command 'serch'/, /Did you mean search/],
  [["memory", "search", "x", "--limit", "0"], 2, "USAGE", /whole number from 1 to 1000/, /./],
  [["memory", "search", "x", "--limit", "ten"], 2, "USAGE", /"ten" is not a whole number/, /./],
  [
    ["memory", "get", "nobody"],
    1,
    "MEMORY_NOT_FOUND",
    /no memory "nobody"/,
    /holdfast memory list/,
  ],
  [["memory", "forget"], 2, "FORGET_UNSCOPED", /Nothing says what to forget/, /./],
  [["memory", "forget", "a", "--user", "u"], 2, "USAGE", /Ids and a filter/, /Leave one/],
  [["memory", "outbox", "discard"], 2, "USAGE", /missing required argument/, /--help/],
  [["memory", "outbox", "discard", "x"], 2, "USAGE", /"x" is not a whole number/, /./],
  [["memory", "outbox", "discard", "1"], 2, "USAGE", /No refused write has the number 1/, /list/],
  [
    ["memory", "backup", "--config-only", "--config", "odd.yaml"],
    78,
    "POLICY_UNREADABLE",
    /rules.yaml cannot be read/,
    /readable/,
  ],
  // It was told, and then the listener kept the process for ever.
  [
    ["memory", "monitor", "--alerts", "--listen", "0", "--config", "alerts.yaml"],
    12,
    "SECRET_UNAVAILABLE",
    /NO_SUCH_SECRET.* is not set/,
    /export NO_SUCH_SECRET/,
  ],
  [
    ["memory", "policy", "test", "--context", "event.json", "--output", "missing/answer.json"],
    1,
    "FILE_UNWRITABLE",
    /answer.json cannot be written/,
    /a folder that is there/,
  ],
  [
    ["health", "--service", "policy", "--report", "missing/health.html"],
    1,
    "FILE_UNWRITABLE",
    /health.html cannot be written: there is no folder .*missing$/,
    /a folder that is there/,
  ],
  [["policy", "add", "none.yaml"], 2, "USAGE", /no file none\.yaml$/, /file with policies/],
  [["policy", "add", "folder"], 2, "USAGE", /folder is a folder$/, /file with policies/],
  [["policy", "add", "latin-1.yaml"], 2, "USAGE", /latin-1\.yaml is not UTF-8/, /iconv/],
  [["policy", "test", "none.yaml"], 2, "USAGE", /no file .*none\.yaml$/, /policytest\.yaml/],
  [["policy", "explain", "none.json"], 2, "POLICY_EVENT_INVALID", /no file none\.json$/, /itself/],
  [
    ["policy", "test", "--context", "latin-1.yaml"],
    2,
    "POLICY_EVENT_INVALID",
    /latin-1\.yaml is not UTF-8/,
    /iconv/,
  ],
  [["memory", "sync"], 13, "STORE_UNAVAILABLE", /no answer from Chroma/, /holdfast health$/],
  [["memory", "rebuild"], 2, "CONFIRMATION_NEEDED", /Nobody can be asked/, /--yes/],
  [
    ["memory", "status", "--config", "none.yaml"],
    78,
    "CONFIG_NOT_FOUND",
    /no configuration file/,
    /init/,
  ],
  [["memory", "status", "--config", "folder"], 78, "CONFIG_UNREADABLE", /cannot be read/, /a file/],
  [
    ["memory", "status", "--config", "syntax.yaml"],
    78,
    "CONFIG_INVALID",
    /syntax\.yaml:\d+:\d+: not YAML/,
    /line \d/,
  ],
  [
    ["memory", "status", "--config", "slip.yaml"],
    78,
    "CONFIG_INVALID",
    /slip\.yaml:2:12: .*did you mean true\?/,
    /line 2/,
  ],
  [
    ["memory", "status", "--config", "literal.yaml"],
    78,
    "CONFIG_INVALID",
    /secrets are not written/,
    /line 1/,
  ],
  [
    ["memory", "status", "--env", "staging"],
    78,
    "CONFIG_NOT_FOUND",
    /Nothing is deployed/,
    /--config/,
  ],
  [
    ["memory", "search", "x", "--config", "secret.yaml"],
    12,
    "SECRET_UNAVAILABLE",
    /NO_SUCH_TOKEN/,
    /export/,
  ],
  [["memory", "add", "x", "--config", "provider.yaml"], 78, "EMBEDDER_UNKNOWN", /nonsense/, /./],
  [["memory", "add", "x", "--config", "in-the-way.yaml"], 78, "DATA_DIRECTORY_INVALID", /./, /./],
  [["server", "logs"], 2, "SERVER_NOT_MANAGED", /runs elsewhere \(127\.0\.0\.1\)/, /server status/],
  [["server", "logs", "--lines", "-1"], 2, "USAGE", /./, /./],
];

describe("bad input: what is wrong, the next command, the right status, and no envelope but one", () => {
  test.each(CASES)("%j", async (args, status, code, what, next) => {
    const { json, ...told } = await sandbox.run([...args, "--json"]);
    expect(told.status).toBe(status);
    expect(json).toMatchObject({ ok: false, error: { code: expect.stringContaining(code) } });
    expect(json.error.message).toMatch(what);
    expect(json.error.hint).toMatch(next);
    expect(json.error.message + json.error.hint).not.toMatch(/s3cret|\n\s+at /);
  });

  // Each named the other as what to do next.
  test("status of memory and of a server that does not answer are no circle", async () => {
    const { status, stdout } = await sandbox.run(["server", "status"]);
    expect(status).toBe(13);
    expect(stdout).toMatch(/\nnext: holdfast health\n$/);
  });

  test("people read the same, without a stack; --verbose adds it", async () => {
    const args = ["memory", "status", "--config", "slip.yaml"];
    const told = await sandbox.run(args);
    expect(told).toMatchObject({ status: 78, stdout: "" });
    expect(told.stderr).toMatch(/^error: .*slip\.yaml:2:12.*\nnext: Correct line 2 .*\n$/);
    expect((await sandbox.run([...args, "--verbose"])).stderr).toMatch(/\n\s+at /);
  });

  test.each([
    ["not UTF-8", Buffer.from([0x66, 0xff, 0xfe])],
    ["than one memory holds", Buffer.alloc(5_000_000, 0x61)],
    ["is empty", Buffer.from("\n")],
  ])("stdin: %s", async (what, input) => {
    const { status, json } = await sandbox.run(["memory", "add", "-", "--json"], { input });
    expect(status).toBe(2);
    expect(json.error.message).toContain(what);
  });

  test("none of it was accepted", async () => {
    const { json } = await sandbox.run(["memory", "status", "--json"]);
    expect(json.data.memory.ledger).toMatchObject({ accepted: 0, residual: 0 });
  });
});
