import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { closeSync, globSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { BIN, NODE_OPTIONS, Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;
/** Letters alone: what a name says of it is all that gives it away. */
let secret: string;

beforeEach(async () => {
  sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  secret = randomBytes(18)
    .toString("hex")
    .replaceAll(/\d/g, (digit) => "ghijklmnop"[+digit] ?? "q");
  const store = "vector_store: {config: {host: 127.0.0.1, port: 9}}";
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\noutbox: {wait: 0}\n`);
  await sandbox.run(["memory", "add", "so that there is a memory", "--no-trigger"]);
});
afterEach(() => sandbox.remove());

/** Of the state's files, those that hold eight letters of the secret in a row. */
function leaking(): string[] {
  const pieces = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8));
  return globSync(join(sandbox.folder, ".holdfast/**/*")).filter((file) => {
    if (!statSync(file).isFile()) return false;
    const bytes = readFileSync(file, "latin1");
    return pieces.some((piece) => bytes.includes(piece));
  });
}

async function texts(): Promise<string[]> {
  const { json } = await sandbox.run(["memory", "list", "--all", "--json", "--no-trigger"]);
  return json.data.memories.map(({ text }: { text: string }) => text);
}

test("an argument that is too long to be kept", async () => {
  const word = `${"a ".repeat(85)}DB_PASSWORD=${secret} ${"z ".repeat(200)}`;
  await sandbox.run(["run", "--", "true", word]);
  await sandbox.run(["memory", "list", "--tag", word]);
  expect((await texts()).filter((text) => text.includes("a a a"))).toHaveLength(2);
  expect(leaking()).toEqual([]);
});

test("a tool's input that is too long to be kept", async () => {
  const command = `${"a ".repeat(480)}DB_PASSWORD=${secret} ${"z ".repeat(700)}`;
  const event = { hook_event_name: "PostToolUse", tool_name: "Bash", tool_input: { command } };
  await sandbox.run(["hook", "claude-code"], { input: JSON.stringify(event) });
  expect((await texts()).some((text) => text.startsWith("Bash: a a"))).toBe(true);
  expect(leaking()).toEqual([]);
});

test.each(["pipe", "file"])("stderr, of which only the end is kept: a %s", async (kind) => {
  // The name of it is just before what is kept.
  const script =
    'printf "%060000d\\nDB_PASSWORD=%s\\n" 0 "$(cat)" >&2; printf "z %.0s" $(seq 2030) >&2; exit 3';
  const file = join(sandbox.folder, "stderr.txt");
  const descriptor = kind === "file" ? openSync(file, "w") : undefined;
  const words = [...NODE_OPTIONS, BIN, "run", "--", "sh", "-c", script];
  spawnSync(process.execPath, words, {
    cwd: sandbox.folder,
    env: sandbox.environment,
    input: secret,
    stdio: ["pipe", "pipe", descriptor ?? "pipe"],
  });
  if (descriptor !== undefined) closeSync(descriptor);
  const [text = ""] = (await texts()).filter((each) => each.includes("exit code 3"));
  expect(text).toMatch(/z z z$/);
  expect(leaking()).toEqual([]);
});
