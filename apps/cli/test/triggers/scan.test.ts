import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChroma } from "@holdfast/testkit";
import { Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;
beforeEach(() => void (sandbox = new Sandbox()));
afterEach(() => sandbox.remove());

/** Digits and letters that mean something only to the configuration below. */
const STAFF = ["S", "480017"].join("-");

function configure(store: string, redaction: string): void {
  const text = `vector_store: {config: ${store}}\nredaction: ${redaction}\n`;
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), text);
}

function rawBytes(): string {
  const files = globSync(join(sandbox.folder, ".holdfast/**/*"));
  return files
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, "latin1"))
    .join("\n");
}

test("what a pattern did not know yet is found, and taken out of every byte and of the store", async () => {
  await using chroma = await startChroma();
  const store = `{host: ${chroma.host}, port: ${chroma.port}}`;
  configure(store, "{}");
  const { json: added } = await sandbox.run([
    "memory",
    "add",
    `${STAFF} called`,
    "--tag",
    STAFF,
    "--meta",
    `by=${STAFF}`,
    "--json",
  ]);
  await sandbox.run(["memory", "add", "nothing to hide"]);
  expect(rawBytes()).toContain(STAFF);
  expect(await sandbox.run(["memory", "scan", "--secrets"])).toMatchObject({ status: 0 });

  configure(store, "{patterns: {staff: 'S-[0-9]{6}'}}");
  const found = await sandbox.run(["memory", "scan", "--secrets", "--json"]);
  expect(found.status).toBe(4);
  const { id } = added.data;
  expect(found.json.data).toEqual({
    scanned: 2,
    found: [{ id, count: 3, kinds: ["staff"] }],
    redacted: 0,
  });
  expect(found.stdout).not.toContain(STAFF);
  expect(rawBytes()).toContain(STAFF);

  expect(await sandbox.run(["memory", "scan", "--secrets", "--redact"])).toMatchObject({
    status: 2,
  });
  const done = await sandbox.run(["memory", "scan", "--secrets", "--redact", "--yes", "--json"]);
  expect(done).toMatchObject({ status: 0, json: { data: { redacted: 1 } } });
  expect(rawBytes()).not.toContain(STAFF);
  const { json } = await sandbox.run(["memory", "search", "who called", "--json"]);
  expect(json.data.degraded).toBe(false);
  const hit = json.data.hits.find((each: { id: string }) => each.id === id);
  expect(hit).toMatchObject({
    text: "[redacted:staff] called",
    tags: ["[redacted:staff]"],
    metadata: { by: "[redacted:staff]" },
  });
  expect(await sandbox.run(["memory", "scan", "--secrets"])).toMatchObject({ status: 0 });
}, 180_000);

test("it says what to look for", async () => {
  expect(await sandbox.run(["memory", "scan"])).toMatchObject({ status: 2 });
});
