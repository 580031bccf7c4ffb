import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startChroma, startFaultProxy, type TestChroma } from "@holdfast/testkit";
import { deadPort } from "./dead-port.ts";
import { BIN, type CliResult, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

const COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections";

let sandbox: Sandbox;

beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

const run = (...args: string[]): Promise<CliResult> => sandbox.run([...args, "--json"]);

function configure(host: string, port: number): void {
  const file = join(sandbox.folder, "holdfast.yaml");
  writeFileSync(file, `vector_store: {config: {host: ${host}, port: ${port}}}\n`);
}

/** As another program talks to Chroma. */
async function post(
  chroma: Pick<TestChroma, "host" | "port">,
  path: string,
  body: unknown,
): Promise<{ id: string; ids: string[] }> {
  const response = await fetch(`http://${chroma.host}:${chroma.port}${COLLECTIONS}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as { id: string; ids: string[] };
}

test("a collection that another program filled: synced, recalled when the server is away", async () => {
  await using chroma = await startChroma();
  configure(chroma.host, chroma.port);
  const { id } = await post(chroma, "", { name: "memories" });
  const vector = (at: number): number[] =>
    Array.from({ length: 384 }, (_, n) => Math.sin(n * at + 1));
  await post(chroma, `/${id}/add`, {
    ids: ["one", "two"],
    embeddings: [vector(1), vector(2)],
    documents: ["the harbour opens at six", null],
    metadatas: [{ source: "crm", score: 0.5 }, null],
  });
  const first = await run("memory", "sync");
  expect(first).toMatchObject({
    status: 0,
    json: { data: { collection: "memories", added: 2, held: 2, scanned: 2 } },
  });
  expect((await run("memory", "sync")).json.data).toMatchObject({ added: 0, changed: 0 });

  await post(chroma, `/${id}/delete`, { ids: ["two"] });
  const lost = await run("memory", "sync");
  expect(lost.json.data).toMatchObject({ vanished: 1, samples: { vanished: ["two"] } });
  expect(lost.json.warnings).toEqual([expect.stringContaining("--vanished restore")]);
  expect((await run("memory", "sync", "--vanished", "restore")).status).toBe(2);
  const back = await run("memory", "sync", "--vanished", "restore", "--yes");
  expect(back.json.data).toMatchObject({ restored: 1, keptVanished: 0 });

  const { json } = await run("memory", "status");
  expect(json.data.memory.others).toMatchObject({ held: 2, vanished: 0 });
  await chroma.kill9();
  const found = await run("memory", "search", "harbour");
  expect(found.json.data).toMatchObject({ degraded: true, hits: [{ id: "one" }] });
}, 120_000);

/** How many records the sync that is under way has brought; undefined when there is none. */
function broughtSoFar(): number | undefined {
  const file = readdirSync(sandbox.folder, { recursive: true, encoding: "utf8" }).find(
    (name) => basename(name) === "memory.db",
  );
  if (file === undefined) return undefined;
  using db = new DatabaseSync(join(sandbox.folder, file), { readOnly: true, timeout: 5_000 });
  const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'sync'").get();
  if (isThere === undefined) return undefined;
  const row = db.prepare("SELECT counts FROM sync WHERE done_at IS NULL").get();
  return row && (JSON.parse(row["counts"] as string) as { added: number }).added;
}

test("killed in the middle, a sync is taken up at once by the next one", async () => {
  await using chroma = await startChroma();
  await using proxy = await startFaultProxy(chroma);
  configure(proxy.host, proxy.port);
  const { id } = await post(chroma, "", { name: "memories" });
  const total = 6_000;
  for (let from = 0; from < total; from += 1_000) {
    const ids = Array.from({ length: 1_000 }, (_, n) => `r${from + n}`);
    const embeddings = ids.map((_, n) => [Math.sin(from + n), Math.cos(from + n), 1, n % 7]);
    await post(chroma, `/${id}/add`, { ids, embeddings, documents: ids.map((it) => `of ${it}`) });
  }
  // Slow enough for this test to see it half done, on a busy machine as well.
  proxy.inject({ kind: "delay", delayMs: 500 });
  const child = spawn(process.execPath, [...NODE_OPTIONS, BIN, "memory", "sync"], {
    cwd: sandbox.folder,
    env: sandbox.environment,
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (child.exitCode === null && (broughtSoFar() ?? 0) === 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill("SIGKILL");
  await ended;
  proxy.inject({ kind: "pass" });
  const before = broughtSoFar() ?? total;
  expect(before).toBeLessThan(total);

  const { status, json } = await run("memory", "sync");
  expect(status).toBe(0);
  // Counted over both of them, each once.
  expect(json.data).toMatchObject({ resumed: true, added: total, held: total, changed: 0 });
  expect((await run("memory", "sync")).json.data).toMatchObject({ resumed: false, added: 0 });
}, 120_000);

test("a collection of another program's vectors: backed up, drilled, restored; exit 3 if not whole", async () => {
  await using chroma = await startChroma();
  configure(chroma.host, chroma.port);
  const { id } = await post(chroma, "", { name: "memories" });
  await post(chroma, `/${id}/add`, {
    ids: ["one", "two"],
    embeddings: [
      [1, 2, 3],
      [3, 2, 1],
    ],
    documents: ["the harbour opens at six", null],
  });
  await run("memory", "search", "harbour");
  const backup = join(sandbox.folder, "b.yaml");
  expect(await run("memory", "backup", "--output", backup)).toMatchObject({
    status: 0,
    json: { data: { memories: 0, others: 2 } },
  });
  const drilled = await run("memory", "backup", "verify", backup, "--drill");
  expect(drilled).toMatchObject({ status: 0, json: { data: { drill: { compared: 2 } } } });
  await post(chroma, `/${id}/delete`, { ids: ["one"] });
  const restored = await run("memory", "restore", backup, "--yes");
  expect(restored).toMatchObject({ status: 0, json: { data: { others: 2, refused: [] } } });
  expect((await run("memory", "sync")).json.data).toMatchObject({ held: 2 });
  // A record without a text has nothing that could be embedded.
  const anew = await run("memory", "restore", backup, "--re-embed", "--yes");
  expect(anew).toMatchObject({ status: 3, json: { data: { others: 1, refused: ["two"] } } });
}, 240_000);

test("a collection that is not there, and a server that does not answer", async () => {
  await using chroma = await startChroma();
  configure(chroma.host, chroma.port);
  expect(await run("memory", "sync", "--collection", "nothing")).toMatchObject({ status: 10 });
  configure("127.0.0.1", await deadPort());
  expect(await run("memory", "sync")).toMatchObject({ status: 13 });
}, 120_000);

test("a managed store whose files are gone comes back with what others wrote", async () => {
  await run("init");
  try {
    const first = (await run("server", "start")).json.data as { host: string; port: number };
    const { id } = await post(first, "", { name: "memories" });
    const embeddings = [Array.from({ length: 384 }, (_, n) => Math.sin(n + 1))];
    await post(first, `/${id}/add`, { ids: ["one"], embeddings, documents: ["by another"] });
    expect((await run("memory", "sync")).json.data).toMatchObject({ added: 1 });
    await run("server", "stop");
    rmSync(join(sandbox.folder, ".holdfast/chroma"), { recursive: true });

    const again = (await run("server", "start")).json.data as { host: string; port: number };
    const made = await post(again, "", { name: "memories", get_or_create: true });
    expect((await post(again, `/${made.id}/get`, { ids: ["one"] })).ids).toEqual(["one"]);
    expect((await run("memory", "sync")).json.data).toMatchObject({ held: 1, vanished: 0 });
  } finally {
    await run("server", "stop");
  }
}, 180_000);

test("a collection that is gone with what others wrote is a finding, and is recovered", async () => {
  await using chroma = await startChroma();
  configure(chroma.host, chroma.port);
  const { id } = await post(chroma, "", { name: "memories" });
  const embeddings = [Array.from({ length: 384 }, (_, n) => Math.sin(n + 1))];
  await post(chroma, `/${id}/add`, { ids: ["one"], embeddings, documents: ["by another"] });
  expect((await run("memory", "sync")).json.data).toMatchObject({ added: 1 });
  const { host, port } = chroma;
  await fetch(`http://${host}:${port}${COLLECTIONS}/memories`, { method: "DELETE" });
  const lost = await run("memory", "sync");
  expect(lost).toMatchObject({
    status: 10,
    json: { error: { hint: expect.stringContaining("rebuild") } },
  });
  expect(await run("memory", "recover")).toMatchObject({ status: 0 });
  expect((await run("memory", "sync")).json.data).toMatchObject({ held: 1, vanished: 0 });
}, 120_000);
