import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startChroma } from "@holdfast/testkit";
import { type CliResult, Sandbox } from "./run-cli.ts";

let sandbox: Sandbox;

beforeEach(() => {
  sandbox = new Sandbox();
  sandbox.waitForServer();
});
afterEach(async () => {
  await sandbox.run(["server", "stop"]);
  sandbox.remove();
});

const run = (...args: string[]): Promise<CliResult> => sandbox.run([...args, "--json"]);

/** Every file of the user in which a text can be read. */
function filesWith(text: string): string[] {
  return readdirSync(sandbox.folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(sandbox.folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

/** A memory's vector as the mirror holds it. */
function vectorOf(id: string): Float32Array {
  using database = new DatabaseSync(join(sandbox.folder, ".holdfast/chroma.holdfast/memory.db"));
  const { vector } = database
    .prepare("SELECT vector FROM vector JOIN memory USING (memory) WHERE collection > 0 AND id = ?")
    .get(id) as { vector: Uint8Array };
  return new Float32Array(vector.slice().buffer);
}

/** Every file of the user in which a vector stands, at any offset, as it is or normalised. */
function filesNear(vector: Float32Array): string[] {
  // Looked for by its largest number: most files are full of zeros.
  const most = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  const from = vector.indexOf(most);
  const isAt = (floats: Float32Array, at: number): boolean =>
    vector.every((value, n) => Math.abs((floats[at + n] ?? Number.NaN) - value) <= 1e-6);
  return readdirSync(sandbox.folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(sandbox.folder, name);
    if (!statSync(path).isFile()) return false;
    const bytes = new Uint8Array(readFileSync(path));
    return [0, 1, 2, 3].some((shift) => {
      const whole = Math.max(0, Math.floor((bytes.length - shift) / 4));
      const floats = new Float32Array(bytes.buffer.slice(shift, shift + whole * 4));
      // A loop and no callback: there are a hundred million numbers to look at.
      for (let at = 0; at < floats.length; at += 1) {
        const near = Math.abs((floats[at] as number) - most) <= 1e-6;
        if (near && isAt(floats, at - from)) return true;
      }
      return false;
    });
  });
}

test("what was purged is in no byte under the workspace; what holds it still is named", async () => {
  await run("init");
  const secret = "the xylophone stands in the quartzroom";
  await run("memory", "add", secret, "--id", "secret", "--meta", "place=zanzibarquay");
  await run("memory", "add", "another memory", "--id", "other");
  const vector = vectorOf("secret");
  // A rebuild keeps a copy of the collection.
  expect((await run("memory", "rebuild", "--yes")).status).toBe(0);
  await run("memory", "forget", "secret", "--yes");
  expect(filesWith("xylophone")).not.toEqual([]);
  expect(filesNear(vector)).not.toEqual([]);

  const purged = await run("memory", "forget", "secret", "--purge", "--yes");
  expect(purged).toMatchObject({
    status: 0,
    json: {
      data: { purged: { compacted: true, collections: [expect.stringMatching(/^memories--/)] } },
    },
  });
  expect(filesWith("xylophone")).toEqual([]);
  expect(filesWith("zanzibarquay")).toEqual([]);
  expect(filesNear(vector)).toEqual([]);
  const { json } = await run("memory", "search", "another memory");
  expect(json.data).toMatchObject({ degraded: false, hits: [{ id: "other" }] });
}, 240_000);

test("at once, with a copy in quarantine and a backup, which it names and leaves", async () => {
  await run("init");
  await run("memory", "add", "the xylophone stands in the quartzroom", "--id", "secret");
  const backup = join(sandbox.folder, ".holdfast/backups");
  const elsewhere = join(sandbox.folder, "elsewhere.yaml");
  await run("memory", "backup");
  await run("memory", "backup", "--output", elsewhere);
  const aside = join(sandbox.folder, ".holdfast/chroma.holdfast/quarantine/old/data");
  mkdirSync(aside, { recursive: true });
  writeFileSync(
    join(aside, "copy"),
    `${"-".repeat(5_000_000)}the xylophone stands in the quartzroom`,
  );

  const purged = await run("memory", "forget", "secret", "--purge", "--yes");
  expect(purged).toMatchObject({
    status: 3,
    json: {
      data: {
        ids: ["secret"],
        purged: {
          compacted: true,
          remains: [{ path: join(aside, "copy"), what: "quarantine" }],
          backups: [expect.stringContaining(backup), elsewhere],
        },
      },
    },
  });
  expect(filesWith("xylophone")).toEqual([".holdfast/chroma.holdfast/quarantine/old/data/copy"]);
}, 240_000);

test("events that were recorded for policies go with the memory that they were about", async () => {
  await run("init");
  mkdirSync(join(sandbox.folder, "policies"));
  const rule =
    "{name: tagged, conditions: [{type: always}], actions: [{type: add_tag, parameters: {tag: seen}}]}";
  writeFileSync(join(sandbox.folder, "policies/tagged.yaml"), rule);
  const config = join(sandbox.folder, "holdfast.yaml");
  writeFileSync(config, `${readFileSync(config, "utf8")}\npolicies: {record_events: 10}\n`);
  await run("memory", "add", "the xylophone stands in the quartzroom", "--id", "secret");
  await run("memory", "add", "another memory", "--id", "other");
  expect(filesWith("xylophone").join(" ")).toContain("policy-events.db");
  const purged = await run("memory", "forget", "secret", "--purge", "--yes");
  expect(purged).toMatchObject({ status: 0, json: { data: { purged: { remains: [] } } } });
  expect(filesWith("xylophone")).toEqual([]);
  expect(filesWith("another memory").join(" ")).toContain("policy-events.db");
}, 240_000);

test("an archive is found that holds it as JSON does; what was not searched for is said", async () => {
  await run("init");
  const file = join(sandbox.folder, "holdfast.yaml");
  const lifecycle = "\nlifecycle: { default: 1ms, archive: archive }\n";
  writeFileSync(file, readFileSync(file, "utf8") + lifecycle);
  const said = 'He said: "the\nxylophone" stands there';
  await run("memory", "add", said, "--id", "before");
  const archive = (await run("memory", "prune", "--yes")).json.data.archive as string;
  await run("memory", "add", said, "--id", "secret");
  const purged = await run("memory", "forget", "secret", "--purge", "--yes");
  expect(purged.status).toBe(3);
  expect(purged.json.data.purged.remains).toContainEqual({ path: archive, what: "archive" });

  await run("memory", "add", "tiny", "--id", "short");
  const { stdout } = await sandbox.run(["memory", "forget", "short", "--purge", "--yes"]);
  expect(stdout).toContain("No file was searched for it: its text is too short");
}, 240_000);

test("of a Chroma that runs elsewhere it says that its files were not touched", async () => {
  await using chroma = await startChroma();
  const file = join(sandbox.folder, "holdfast.yaml");
  writeFileSync(file, `vector_store: {config: {host: ${chroma.host}, port: ${chroma.port}}}\n`);
  await run("memory", "add", "the xylophone stands there", "--id", "secret");
  const purged = await run("memory", "forget", "secret", "--purge", "--yes");
  expect(purged).toMatchObject({ status: 0, json: { data: { purged: { compacted: false } } } });
  const { stdout } = await sandbox.run(["memory", "forget", "secret", "--purge", "--yes"]);
  expect(stdout).toContain("it runs elsewhere");
}, 120_000);
