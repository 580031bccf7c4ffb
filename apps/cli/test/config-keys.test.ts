import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BREAKER_DEFAULTS } from "@holdfast/breaker";
import { configSchema, parseConfig } from "@holdfast/config";
import { durationMs } from "@holdfast/core";
import { MEMORY_DEFAULTS } from "@holdfast/memory";
import { startChroma } from "@holdfast/testkit";
import { workspaceOf } from "../src/workspace.ts";
import { type CliResult, Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
const closing: (() => void)[] = [];

beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => {
  for (const close of closing.splice(0)) close();
  sandbox.remove();
});

function configure(text: string): void {
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), text);
}

async function run(...args: string[]): Promise<CliResult> {
  return sandbox.run([...args, "--json"]);
}

/** A server that answers nothing well, and remembers what it was asked. */
async function listener(): Promise<{ port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(500).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { port: (server.address() as { port: number }).port, asked };
}

const dead = (more: string): string =>
  `vector_store: {config: {host: 127.0.0.1, port: 9}}\n${more}\n`;

/** For every key of the schema: a behaviour that changes with it. */
const KEYS: Readonly<Record<string, () => Promise<void>>> = {
  config_version: async () => {
    configure("config_version: 2");
    expect((await run("memory", "status")).status).toBe(78);
  },
  environment: async () => {
    configure("environment: staging");
    const { json } = await run("memory", "status");
    expect(json.data.configuration.environment).toBe("staging");
    const other = await run("memory", "status", "--config", "holdfast.yaml", "--env", "production");
    expect(other).toMatchObject({ status: 78, json: { error: { code: "CONFIG_INVALID" } } });
  },
  "vector_store.provider": async () => {
    configure("vector_store: {provider: qdrant}");
    expect((await run("memory", "status")).json.error.message).toContain("expected chroma");
  },
  "vector_store.config.mode": async () => {
    configure("vector_store: {config: {mode: cloud, token: {env: KEY}}}");
    expect((await run("memory", "status")).json.data.store.mode).toBe("cloud");
  },
  "vector_store.config.collection_name": async () => {
    configure(dead("").replace("port: 9", "port: 9, collection_name: one"));
    await run("memory", "add", "in one");
    configure(dead("").replace("port: 9", "port: 9, collection_name: two"));
    expect((await run("memory", "list")).json.data.total).toBe(0);
  },
  "vector_store.config.persist_directory": async () => {
    configure("vector_store: {config: {persist_directory: my/data}}");
    const { json } = await run("memory", "status");
    expect(json.data.store.place).toBe(join(sandbox.folder, "my/data"));
  },
  "vector_store.config.path": async () => {
    configure("vector_store: {config: {path: older}}");
    const { json } = await run("memory", "status");
    expect(json.data.store.place).toBe(join(sandbox.folder, "older"));
    expect(json.warnings).toEqual([expect.stringContaining("older name of persist_directory")]);
  },
  "vector_store.config.command": () => toldServer("", "persist_path"),
  "vector_store.config.allow_reset": () => toldServer("allow_reset: true", "allow_reset: true"),
  "vector_store.config.anonymized_telemetry": async () => {
    await toldServer("anonymized_telemetry: true", "telemetry: True");
    await toldServer("", "telemetry: False");
  },
  "vector_store.config.host": asksWith("", ({ method }) => method, "GET"),
  "vector_store.config.port": asksWith("", ({ method }) => method, "GET"),
  "vector_store.config.ssl": async () => {
    const bytes: number[] = [];
    const server = createTcpServer((socket) => {
      socket.once("data", (chunk) => bytes.push(chunk[0] ?? 0) && socket.destroy());
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const { port } = server.address() as { port: number };
    configure(`vector_store: {config: {host: 127.0.0.1, port: ${port}, ssl: true}}`);
    await run("server", "status");
    // The first byte of a TLS handshake.
    expect(bytes[0]).toBe(22);
  },
  "vector_store.config.headers": asksWith(
    "headers: {X-Team: blue}",
    ({ headers }) => headers["x-team"],
    "blue",
  ),
  "vector_store.config.tenant": asksWith("tenant: acme", ({ url }) => url, "/tenants/acme/"),
  "vector_store.config.database": asksWith("database: prod", ({ url }) => url, "/databases/prod"),
  "vector_store.config.token": asksWith(
    "token: {env: TEST_TOKEN}",
    ({ headers }) => headers.authorization,
    "Bearer s3cret",
  ),
  "embedder.provider": async () => {
    configure(dead("embedder: {provider: nonsense}"));
    expect((await run("memory", "add", "x")).json.error.code).toBe("EMBEDDER_UNKNOWN");
  },
  "embedder.model": async () => {
    configure(dead("embedder: {model: nonsense}"));
    expect((await run("memory", "add", "x")).json.error.code).toBe("EMBEDDER_OPTIONS_INVALID");
  },
  "embedder.options": async () => {
    configure(dead("embedder: {options: {a: 1}}"));
    expect((await run("memory", "add", "x")).json.error.code).toBe("EMBEDDER_OPTIONS_INVALID");
  },
  "circuit_breaker.enabled": async () => {
    configure(dead("circuit_breaker: {enabled: false, failure_threshold: 1}"));
    expect(await breakerAfterSearches(2)).toMatchObject({ state: "closed", enabled: false });
  },
  "circuit_breaker.failure_threshold": async () => {
    configure(dead("circuit_breaker: {failure_threshold: 2}"));
    expect(await breakerAfterSearches(2)).toMatchObject({ state: "open" });
  },
  "circuit_breaker.recovery_timeout": async () => {
    configure(dead("circuit_breaker: {failure_threshold: 1, recovery_timeout: 1h}"));
    const { retryAfterMs } = await breakerAfterSearches(1);
    expect(retryAfterMs).toBeGreaterThan(3_000_000);
  },
  "circuit_breaker.success_threshold": async () => {
    configure(dead("circuit_breaker: {success_threshold: 7}"));
    expect(await breakerAfterSearches(0)).toMatchObject({ evidence: { successThreshold: 7 } });
  },
  "circuit_breaker.timeout": async () => {
    const server = createTcpServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const { port } = server.address() as { port: number };
    const config = `vector_store: {config: {host: 127.0.0.1, port: ${port}}}`;
    configure(`${config}\ncircuit_breaker: {timeout: 321ms}`);
    expect((await run("memory", "search", "x")).json.data.reason).toContain("321 ms");
  },
  "outbox.records_max": async () => {
    configure(dead("outbox: {records_max: 1}"));
    await run("memory", "add", "one");
    expect((await run("memory", "add", "two")).json.error.code).toBe("OUTBOX_FULL");
  },
  "outbox.bytes_max": async () => {
    configure(dead("outbox: {bytes_max: 1024}"));
    expect((await run("memory", "add", "x".repeat(600))).json.ok).toBe(true);
    const second = await run("memory", "add", "x".repeat(600));
    expect(second.json.error.code).toBe("OUTBOX_FULL");
  },
  "outbox.kept_records_max": () => keeps("kept_records_max: 1"),
  "outbox.kept_bytes_max": () => keeps("kept_bytes_max: 1"),
  "outbox.wait": async () => {
    configure(dead("outbox: {wait: 0}"));
    const { json } = await run("memory", "add", "x");
    // Nobody waited, so nobody knows yet that the store is down.
    expect(json.data.reason).toContain("in the background");
  },
  "keeper.idle_timeout": async () => {
    configure("keeper: {idle_timeout: 1s}");
    expect((await run("memory", "add", "x")).json.data.durability).toBe("stored");
    const deadline = Date.now() + 60_000;
    while ((await run("server", "status")).status !== 13) expect(Date.now()).toBeLessThan(deadline);
    expect((await run("server", "stop")).json.data.stopped).toBe(false);
  },
};

/** With this line in the configuration, the request shows this. */
function asksWith(
  line: string,
  pick: (request: IncomingMessage) => string | string[] | undefined,
  expected: string,
): () => Promise<void> {
  return async () => {
    const { port, asked } = await listener();
    const more = line === "" ? "" : `, ${line}`;
    configure(`vector_store: {config: {host: 127.0.0.1, port: ${port}${more}}}`);
    sandbox.environment["TEST_TOKEN"] = "s3cret";
    await run("server", "status");
    expect(asked.map(pick)).toContainEqual(expect.stringContaining(expected));
  };
}

async function toldServer(line: string, told: string): Promise<void> {
  const fixture = new URL("./fixtures/chroma-that-tells.mjs", import.meta.url).pathname;
  const command = JSON.stringify([process.execPath, fixture]);
  configure(`vector_store:\n  config:\n    command: ${command}\n    ${line}\n`);
  expect((await run("server", "start")).json.error.code).toBe("SERVER_START_FAILED");
  expect((await sandbox.run(["server", "logs"])).stdout).toContain(told);
}

async function breakerAfterSearches(
  searches: number,
): Promise<{ retryAfterMs: number; state: string }> {
  for (let n = 0; n < searches; n += 1) await run("memory", "search", "x");
  return (await run("memory", "status")).json.data.memory.breaker.operations.read;
}

async function keeps(line: string): Promise<void> {
  await using chroma = await startChroma();
  const store = `vector_store: {config: {host: ${chroma.host}, port: ${chroma.port}}}`;
  const file = join(sandbox.folder, "holdfast.yaml");
  const kept = async (text: string): Promise<number> => {
    configure(text);
    for (const n of [1, 2, 3]) await run("memory", "add", `memory ${n}`);
    const parsed = parseConfig(text, { file, environment: {} });
    const loaded = { ...parsed, source: "workspace" as const, file, directory: sandbox.folder };
    using db = new DatabaseSync(join(workspaceOf(loaded).stateDirectory, "memory.db"));
    const row = db.prepare("SELECT count(*) AS n FROM entry WHERE state = 'stored'").get();
    return (row as { n: number }).n;
  };
  expect(await kept(`${store}\n`)).toBe(3);
  expect(await kept(`${store}\noutbox: {${line}}\n`)).toBeLessThan(3);
}

test.each(Object.entries(KEYS))("%s changes what happens", async (_key, check) => {
  expect.hasAssertions();
  await check();
});

interface Node {
  properties?: Record<string, Node>;
}

function leaves(schema: Node, path: string): string[] {
  if (schema.properties === undefined || path.endsWith("token")) return [path];
  return Object.entries(schema.properties).flatMap(([key, property]) =>
    leaves(property, path === "" ? key : `${path}.${key}`),
  );
}

test("no key is decoration: each has such a test", () => {
  expect(Object.keys(KEYS).toSorted()).toEqual(leaves(configSchema as Node, "").toSorted());
});

test("the schema's defaults are the packages' own", () => {
  const { config } = parseConfig("", { file: "/x/holdfast.yaml", environment: {} });
  const { circuit_breaker: breaker, outbox } = config;
  expect({
    enabled: breaker.enabled,
    failureThreshold: breaker.failure_threshold,
    recoveryTimeoutMs: durationMs(breaker.recovery_timeout),
    successThreshold: breaker.success_threshold,
    timeoutMs: durationMs(breaker.timeout),
  }).toEqual({
    enabled: BREAKER_DEFAULTS.enabled,
    failureThreshold: BREAKER_DEFAULTS.failureThreshold,
    recoveryTimeoutMs: BREAKER_DEFAULTS.recoveryTimeoutMs,
    successThreshold: BREAKER_DEFAULTS.successThreshold,
    timeoutMs: BREAKER_DEFAULTS.timeoutMs,
  });
  expect({
    recordsMax: outbox.records_max,
    bytesMax: outbox.bytes_max,
    keptRecordsMax: outbox.kept_records_max,
    keptBytesMax: outbox.kept_bytes_max,
  }).toEqual(MEMORY_DEFAULTS.outbox);
  expect(durationMs(outbox.wait)).toBe(MEMORY_DEFAULTS.waitMs);
  expect(durationMs(breaker.timeout)).toBe(MEMORY_DEFAULTS.limits.writeMs);
  expect(config.vector_store.config.collection_name).toBe(MEMORY_DEFAULTS.collection);
});
