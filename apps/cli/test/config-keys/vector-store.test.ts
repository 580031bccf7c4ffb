import { expect } from "@jest/globals";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Bench, type KeyTest, keyTests } from "./key-tests.ts";

keyTests("vector_store", {
  provider: async (bench) => {
    bench.configure("vector_store: {provider: qdrant}");
    expect((await bench.run("memory", "status")).json.error.message).toContain("expected chroma");
  },
  "config.mode": async (bench) => {
    bench.configure("vector_store: {config: {mode: cloud, token: {env: KEY}}}");
    expect((await bench.run("memory", "status")).json.data.store.mode).toBe("cloud");
  },
  "config.collection_name": async (bench) => {
    bench.configure("vector_store: {config: {host: 127.0.0.1, port: 9, collection_name: one}}");
    await bench.run("memory", "add", "in one");
    bench.configure("vector_store: {config: {host: 127.0.0.1, port: 9, collection_name: two}}");
    expect((await bench.run("memory", "list")).json.data.total).toBe(0);
  },
  "config.persist_directory": async (bench) => {
    bench.configure("vector_store: {config: {persist_directory: my/data}}");
    const { json } = await bench.run("memory", "status");
    expect(json.data.store.place).toBe(join(bench.folder, "my/data"));
  },
  "config.path": async (bench) => {
    bench.configure("vector_store: {config: {path: older}}");
    const { json } = await bench.run("memory", "status");
    expect(json.data.store.place).toBe(join(bench.folder, "older"));
    expect(json.warnings).toEqual([expect.stringContaining("older name of persist_directory")]);
  },
  "config.command": (bench) => toldServer(bench, "", "persist_path"),
  "config.allow_reset": async (bench) => {
    await toldServer(bench, "allow_reset: true", "allow_reset: true");
    await toldServer(bench, "", "allow_reset: false");
  },
  "config.keep_replayable": async (bench) => {
    const purges = async (line: string): Promise<unknown> => {
      bench.configure(`vector_store: {config: {persist_directory: data${line}}}`);
      expect((await bench.run("server", "start")).json.ok).toBe(true);
      await bench.run("server", "stop");
      using database = new DatabaseSync(join(bench.folder, "data/chroma.sqlite3"));
      const row = database.prepare("SELECT config_json_str AS text FROM embeddings_queue_config");
      return JSON.parse((row.get() as { text: string }).text).automatically_purge;
    };
    expect(await purges(", keep_replayable: true")).toBe(false);
    expect(await purges("")).toBe(true);
  },
  "config.anonymized_telemetry": async (bench) => {
    await toldServer(bench, "anonymized_telemetry: true", "telemetry: True");
    await toldServer(bench, "", "telemetry: False");
  },
  "config.host": asksWith("", ({ method }) => method, "GET"),
  "config.port": asksWith("", ({ method }) => method, "GET"),
  "config.ssl": async (bench) => {
    const bytes: number[] = [];
    const server = createServer((socket) => {
      socket.once("data", (chunk) => bytes.push(chunk[0] ?? 0) && socket.destroy());
      socket.on("error", () => undefined);
    });
    const port = await bench.listen(server);
    bench.configure(`vector_store: {config: {host: 127.0.0.1, port: ${port}, ssl: true}}`);
    await bench.run("server", "status");
    // The first byte of a TLS handshake.
    expect(bytes[0]).toBe(22);
  },
  "config.headers": asksWith("headers: {X-Team: blue}", ({ headers }) => headers["x-team"], "blue"),
  "config.tenant": asksWith("tenant: acme", ({ url }) => url, "/tenants/acme/"),
  "config.database": asksWith("database: prod", ({ url }) => url, "/databases/prod"),
  "config.token": asksWith(
    "token: {env: TEST_TOKEN}",
    ({ headers }) => headers.authorization,
    "Bearer s3cret",
  ),
});

/** With this line in the configuration, the request shows this. */
function asksWith(
  line: string,
  pick: (request: IncomingMessage) => string | string[] | undefined,
  expected: string,
): KeyTest {
  return async (bench) => {
    const { port, asked } = await bench.listener();
    const more = line === "" ? "" : `, ${line}`;
    bench.configure(`vector_store: {config: {host: 127.0.0.1, port: ${port}${more}}}`);
    bench.sandbox.environment["TEST_TOKEN"] = "s3cret";
    await bench.run("server", "status");
    expect(asked.map(pick)).toContainEqual(expect.stringContaining(expected));
  };
}

async function toldServer(bench: Bench, line: string, told: string): Promise<void> {
  const fixture = new URL("../fixtures/chroma-that-tells.mjs", import.meta.url).pathname;
  const command = JSON.stringify([process.execPath, fixture]);
  bench.configure(`vector_store:\n  config:\n    command: ${command}\n    ${line}\n`);
  // It only tells what it was given, and ends.
  expect((await bench.run("server", "start")).json.ok).toBe(false);
  expect((await bench.sandbox.run(["server", "logs"])).stdout).toContain(told);
}
