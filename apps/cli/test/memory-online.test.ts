import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChroma, type TestChroma } from "@holdfast/testkit";
import { Sandbox } from "./run-cli.ts";

let chroma: TestChroma;
let sandbox: Sandbox;

beforeAll(async () => {
  chroma = await startChroma();
  sandbox = new Sandbox();
  const { host, port } = chroma;
  writeFileSync(
    join(sandbox.folder, "holdfast.yaml"),
    `vector_store: {config: {host: ${host}, port: ${port}}}\n`,
  );
});

afterAll(async () => {
  sandbox.remove();
  await chroma.stop();
});

async function add(text: string, ...options: string[]): Promise<string> {
  const { json } = await sandbox.run(["memory", "add", text, ...options, "--json"]);
  expect(json).toMatchObject({ ok: true, data: { durability: "stored" } });
  return json.data.id;
}

describe("on a real Chroma that runs elsewhere", () => {
  test("what is added is stored, found by meaning, and read back exactly", async () => {
    const id = await add(
      "The build needs Node 24",
      "--user",
      "ada",
      "--tag",
      "build",
      "--meta",
      "n=3",
    );
    await add("Grace likes cats", "--user", "grace");

    const found = await sandbox.run(["memory", "search", "required version of Node", "--json"]);
    expect(found).toMatchObject({ status: 0, stderr: "" });
    expect(found.json).toMatchObject({
      schema: "holdfast/memory-search/v1",
      data: { degraded: false, hits: [{ id }, {}] },
      warnings: [],
    });
    const scoped = await sandbox.run(["memory", "search", "Node", "--user", "grace", "--json"]);
    expect(scoped.json.data.hits).toMatchObject([{ text: "Grace likes cats" }]);

    const { json } = await sandbox.run(["memory", "get", id, "--json"]);
    expect(json.data.memory).toMatchObject({
      text: "The build needs Node 24",
      scope: { user: "ada" },
      tags: ["build"],
      metadata: { n: 3 },
      revision: 1,
      durability: "stored",
    });
    const shown = await sandbox.run(["memory", "get", id]);
    expect(shown.stdout).toContain("user ada · #build");
    expect(shown.stdout).toMatch(/\n\nThe build needs Node 24\n$/);
  });

  test("a text from stdin is kept to the last byte, and cannot steer the terminal", async () => {
    const text = "Zażółć 🦊\n\ttab \u001b[31mred\u202e\n\nend  ";
    const added = await sandbox.run(["memory", "add", "-", "--json"], { input: `${text}\n` });
    const { id } = added.json.data;
    const { json } = await sandbox.run(["memory", "get", id, "--json"]);
    expect(json.data.memory.text).toBe(text);
    const shown = await sandbox.run(["memory", "get", id]);
    expect(shown.stdout).toContain("\\u001b[31mred\\u202e");
    expect(shown.stdout).not.toContain("\u001b");
  });

  test("list pages through them, newest first", async () => {
    const ids = [await add("page one", "--tag", "page"), await add("page two", "--tag", "page")];
    const first = await sandbox.run(["memory", "list", "--tag", "page", "--limit", "1", "--json"]);
    expect(first.json.data).toMatchObject({ total: 2, memories: [{ id: ids[1] }] });
    expect(first.stderr).toContain("1 of 2");
    const second = await sandbox.run([
      "memory",
      "list",
      "--tag",
      "page",
      "--after",
      ids[1] ?? "",
      "--json",
    ]);
    expect(second.json.data.memories).toMatchObject([{ id: ids[0] }]);
    const people = await sandbox.run(["memory", "list", "--tag", "page"]);
    expect(people.stdout).toMatch(/stored {2}page two\n.*stored {2}page one\n$/);
  });

  test("forget shows first, asks, and forgets what it showed", async () => {
    const id = await add("to be forgotten", "--session", "s1");
    const dry = await sandbox.run(["memory", "forget", "--session", "s1", "--dry-run", "--json"]);
    expect(dry.json.data).toMatchObject({ ids: [id], dryRun: true });
    const asked = await sandbox.run(["memory", "forget", "--session", "s1", "--json"]);
    expect(asked).toMatchObject({ status: 2, json: { error: { code: "CONFIRMATION_NEEDED" } } });
    const done = await sandbox.run(["memory", "forget", "--session", "s1", "--yes", "--json"]);
    expect(done.json.data).toMatchObject({ ids: [id], durability: "stored" });
    const gone = await sandbox.run(["memory", "get", id, "--json"]);
    expect(gone).toMatchObject({ status: 1, json: { error: { code: "MEMORY_NOT_FOUND" } } });
  });

  test("status is healthy, with its evidence, and says which configuration is in force", async () => {
    await add("one more");
    const { json } = await sandbox.run(["memory", "status", "--json"]);
    expect(json.data).toMatchObject({
      verdict: { status: "healthy" },
      configuration: { source: "workspace", file: join(sandbox.folder, "holdfast.yaml") },
      store: { mode: "server", collection: "memories" },
      memory: { ledger: { queued: 0, dead: 0, residual: 0 }, breaker: { state: "closed" } },
    });
    const people = await sandbox.run(["memory", "status"]);
    expect(people.stdout).toMatch(/^healthy: the store answered .* ago; nothing waits\n/);
    expect(people.stdout).toMatch(/accepted (\d+) = stored \1 \+ queued 0/);
  });

  test("server status makes a real round trip", async () => {
    const { status, json } = await sandbox.run(["server", "status", "--json"]);
    expect({ status, data: json.data }).toMatchObject({
      status: 0,
      data: { answer: { ok: true } },
    });
  });

  test("rebuild makes the collection anew and compares it", async () => {
    const { status, json } = await sandbox.run(["memory", "rebuild", "--yes", "--json"]);
    expect(status).toBe(0);
    expect(json.data).toMatchObject({ equal: true, missing: [], different: [] });
    expect(json.data.rebuilt).toBeGreaterThan(3);
  });
});
