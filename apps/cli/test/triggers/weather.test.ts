import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountObstacle, smallDisk, startChroma } from "@holdfast/testkit";
import { type CliResult, Sandbox } from "../run-cli.ts";
import { leaks } from "./leaks.ts";

let sandbox: Sandbox;
const holders: ChildProcess[] = [];

beforeEach(() => {
  sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
});
afterEach(() => {
  for (const holder of holders.splice(0)) holder.kill("SIGKILL");
  sandbox.remove();
});

function configure(folder: string, store = "{host: 127.0.0.1, port: 9}"): void {
  const text = `vector_store: {config: ${store}}\noutbox: {wait: 0}\n`;
  writeFileSync(join(folder, "holdfast.yaml"), text);
}

const EVENT = JSON.stringify({ hook_event_name: "PostToolUse", tool_name: "Bash", tool_input: {} });
/** A command that reads, one that fails, a program, and a hook. */
const COMMANDS: readonly (readonly [readonly string[], string])[] = [
  [["memory", "list", "--tag", "kept"], ""],
  [["memory", "get", "no-such-memory"], ""],
  [["run", "--", "sh", "-c", "cat; echo complaint >&2; exit 7"], "in"],
  [["hook", "claude-code"], EVENT],
];

/** What users see of the commands: status, stdout and stderr. */
async function seen(cwd: string, commands: typeof COMMANDS, ...more: string[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const [args, input] of commands) {
    const at = args.indexOf("--");
    const words =
      at === -1 ? [...args, ...more] : [...args.slice(0, at), ...more, ...args.slice(at)];
    const { status, stdout, stderr }: CliResult = await sandbox.run(words, { cwd, input });
    all.push({
      command: args.join(" "),
      status,
      stdout,
      stderr: stderr.replaceAll(/\d+(\.\d+)? m?s/g, "N s"),
    });
  }
  return all;
}

/** With triggers as without. */
async function expectSame(cwd: string, commands = COMMANDS): Promise<void> {
  const without = await seen(cwd, commands, "--no-trigger");
  expect(await seen(cwd, commands)).toEqual(without);
}

async function holdOutbox(folder: string): Promise<ChildProcess> {
  const [file = ""] = globSync(join(folder, ".holdfast/state/*/memory.db"));
  const fixture = new URL("../fixtures/hold-outbox.mjs", import.meta.url).pathname;
  const holder = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", fixture, file]);
  holders.push(holder);
  await once(holder.stdout, "data");
  return holder;
}

describe("whatever is wrong, a command does what it does without triggers", () => {
  test("Chroma hangs (SIGSTOP)", async () => {
    await using chroma = await startChroma();
    configure(sandbox.folder, `{host: ${chroma.host}, port: ${chroma.port}}`);
    await sandbox.run(["memory", "add", "kept", "--tag", "kept", "--wait", "30s", "--no-trigger"]);
    chroma.pause();
    try {
      const list = COMMANDS.filter(([args]) => args[1] !== "get");
      expect(list).toHaveLength(3);
      await expectSame(sandbox.folder);
    } finally {
      chroma.resume();
    }
  }, 240_000);

  test("the outbox is held by a process that stands still, and by one that was killed", async () => {
    configure(sandbox.folder);
    await sandbox.run(["memory", "add", "kept", "--tag", "kept", "--no-trigger"]);
    const holder = await holdOutbox(sandbox.folder);
    holder.kill("SIGSTOP");
    // The hook waits for its turn rather than lose what it has; the others do not.
    await expectSame(sandbox.folder, COMMANDS.slice(0, 3));
    holder.kill("SIGKILL");
    holder.kill("SIGCONT");
    await once(holder, "close");
    await expectSame(sandbox.folder);
    const { json } = await sandbox.run(["memory", "list", "--tag", "command", "--json"]);
    expect(json.data.total).toBeGreaterThanOrEqual(4);
  }, 120_000);

  test("policies are broken", async () => {
    expect.hasAssertions();
    configure(sandbox.folder);
    await sandbox.run(["memory", "add", "kept", "--tag", "kept", "--no-trigger"]);
    mkdirSync(join(sandbox.folder, "policies"));
    writeFileSync(join(sandbox.folder, "policies/broken.yaml"), "rules: [{nonsense");
    await expectSame(sandbox.folder);
  }, 120_000);

  const obstacle = mountObstacle();
  const whenMountable = obstacle === undefined ? test : test.skip;
  whenMountable(`the disk is full ${obstacle ?? ""}`, () => onFullDisk(), 120_000);
});

async function onFullDisk(): Promise<void> {
  using disk = smallDisk(2);
  configure(disk.path);
  const add = ["memory", "add", "kept", "--tag", "kept", "--no-trigger"];
  expect(await sandbox.run(add, { cwd: disk.path })).toMatchObject({ status: 0 });
  let ballast = 0;
  try {
    for (; ; ballast += 1) writeFileSync(join(disk.path, `ballast-${ballast}`), "x".repeat(4_096));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  }
  await expectSame(disk.path);
}

test("no secret that passes a command, a program or a hook is in any byte of the workspace", async () => {
  configure(sandbox.folder);
  const samples = leaks();
  await sandbox.run(["memory", "add", "first"]);
  const text = samples.map((sample) => sample.text).join("\n");
  await sandbox.run(["memory", "add", "-"], { input: text });
  await sandbox.run(["memory", "list", "--tag", text]);
  await sandbox.run(["run", "--", "sh", "-c", 'cat >&2; exit 1; "$@"', text], { input: text });
  for (const event of [
    { hook_event_name: "UserPromptSubmit", prompt: text },
    { hook_event_name: "PostToolUse", tool_name: "Bash", tool_input: { command: text } },
    { hook_event_name: "PostToolUse", tool_name: "mcp__a__b", tool_input: { text } },
    { hook_event_name: "PostToolUseFailure", tool_name: "Bash", error: text },
    { hook_event_name: "Stop", last_assistant_message: text },
  ])
    await sandbox.run(["hook", "claude-code"], { input: JSON.stringify(event) });
  const { json } = await sandbox.run(["memory", "list", "--all", "--json"]);
  expect(json.data.total).toBeGreaterThanOrEqual(8);
  const files = globSync(join(sandbox.folder, "**/*")).filter((file) => statSync(file).isFile());
  const state = globSync(join(sandbox.folder, ".holdfast/**/*")).filter((file) =>
    statSync(file).isFile(),
  );
  expect(state.length).toBeGreaterThan(2);
  const bytes = [...files, ...state].map((file) => readFileSync(file, "latin1")).join("\n");
  const leaked = samples.filter(({ secret }) => bytes.includes(secret));
  expect(leaked.map((sample) => sample.text.replace(sample.secret, "…"))).toEqual([]);
}, 120_000);
