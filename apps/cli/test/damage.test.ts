import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { globSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deadPort } from "./dead-port.ts";
import { Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = new Sandbox();
  const text = `vector_store: {config: {host: 127.0.0.1, port: ${await deadPort()}}}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), text);
});
afterEach(() => sandbox.remove());

function outboxFile(): string {
  return globSync(join(sandbox.folder, ".holdfast/state/*/memory.db"))[0] ?? "";
}

test("a damaged outbox is set aside, status says where, and memory goes on", async () => {
  await sandbox.run(["memory", "add", "before", "--wait", "0"]);
  writeFileSync(outboxFile(), "x".repeat(20_000));
  // As if a day had passed since the file was last checked.
  rmSync(`${outboxFile()}.checked`, { force: true });
  const added = await sandbox.run(["memory", "add", "after", "--wait", "0", "--json"]);
  expect(added).toMatchObject({ status: 0, json: { data: { durability: "queued" } } });
  const { stdout } = await sandbox.run(["memory", "status"]);
  expect(stdout).toMatch(/damage +the outbox was damaged on .*, and set aside as .*memory\.db\n/);
  const { json } = await sandbox.run(["memory", "status", "--json"]);
  expect(json.data.memory.salvaged).toMatchObject({ lost: [], file: expect.any(String) });
});

test("what a damaged outbox did not give back is named, and memory counts as degraded", async () => {
  await sandbox.run(["memory", "add", "kept", "--wait", "0"]);
  const lost = Array.from({ length: 25 }, (_, n) => `gone-${n}\u001b`);
  using db = new DatabaseSync(outboxFile());
  // As a salvage leaves it that could read ids, and not what they held.
  db.prepare("INSERT INTO salvaged (at, file, lost) VALUES (?, ?, ?)").run(
    Date.now(),
    "/aside/memory.db",
    JSON.stringify(lost),
  );
  const { status, stdout } = await sandbox.run(["memory", "status"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^degraded: the outbox was damaged and set aside; not given back so far: gone-0\\u001b, .* and 20 more\nnext: holdfast memory outbox retry\n/,
  );
  expect(stdout).toMatch(/\n +lost: gone-0\\u001b, .*gone-19\\u001b and 5 more/);
  const { json } = await sandbox.run(["memory", "status", "--json"]);
  expect(json.data).toMatchObject({
    verdict: { status: "degraded" },
    memory: { salvaged: { lost } },
  });
});
