import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { eventOfHook } from "../../src/hook/hook-event.ts";
import { parseHookInput } from "../../src/hook/hook-input.ts";
import { contextOutput } from "../../src/hook/hook-recall.ts";
import { BIN, type CliResult, NODE_OPTIONS, Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;

beforeEach(() => {
  sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  // Sources take longer to load than what is shipped, and a busy machine longer still.
  sandbox.environment["HOLDFAST_TRIGGERS_HOOK_BUDGET"] = "1h";
  const store = "vector_store: {config: {host: 127.0.0.1, port: 9}}";
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\noutbox: {wait: 0}\n`);
});
afterEach(() => sandbox.remove());

const hook = (input: object | string): Promise<CliResult> =>
  sandbox.run(["hook", "claude-code"], {
    input: typeof input === "string" ? input : JSON.stringify(input),
  });

const add = (text: string): Promise<CliResult> =>
  sandbox.run(["memory", "add", text, "--no-trigger"]);

async function remembered(): Promise<{ text: string; scope: object; tags: string[] }[]> {
  const { json } = await sandbox.run(["memory", "list", "--tag", "hook", "--json", "--no-trigger"]);
  return json.data.memories.toReversed();
}

test("at a prompt and at a session's beginning the agent is reminded, in its own format", async () => {
  await add("The build needs Node 24");
  await add("Deploys happen on Tuesdays");
  const prompt = await hook({
    hook_event_name: "UserPromptSubmit",
    session_id: "s1",
    prompt: "which Node does the build need?",
  });
  expect(prompt).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(prompt.stdout)).toEqual({
    hookSpecificOutput: {
      hookEventName: "UserPromptSubmit",
      additionalContext: expect.stringMatching(
        /^Remembered on this machine.*\n- \d{4}-\d\d-\d\d: The build needs Node 24$/,
      ),
    },
  });
  const start = await hook({
    hook_event_name: "SessionStart",
    session_id: "s2",
    source: "startup",
  });
  const { hookEventName, additionalContext } = JSON.parse(start.stdout).hookSpecificOutput;
  expect(hookEventName).toBe("SessionStart");
  // The newest first, the prompt of the session before among them.
  expect(additionalContext.split("\n").slice(1)).toEqual([
    expect.stringContaining("which Node does the build need?"),
    expect.stringContaining("Deploys happen on Tuesdays"),
    expect.stringContaining("The build needs Node 24"),
  ]);
});

test("what this very session said is not repeated to it", async () => {
  await add("so that there is a memory");
  const said = "The zebra crossing is fixed";
  await hook({ hook_event_name: "Stop", session_id: "s1", last_assistant_message: said });
  const prompt = {
    hook_event_name: "UserPromptSubmit",
    session_id: "s1",
    prompt: "zebra crossing",
  };
  expect((await hook(prompt)).stdout).toBe("");
  const { stdout } = await hook({ ...prompt, session_id: "s2" });
  expect(stdout).toContain(said);
  // What was asked before is no answer.
  expect(stdout).not.toMatch(/: zebra crossing/);
});

test("what agents do is remembered, with whose it is, and what only looks is not", async () => {
  await add("so that there is a memory");
  const session = { session_id: "s1", cwd: sandbox.folder };
  const bash = { tool_name: "Bash", tool_input: { command: "npm test" } };
  for (const event of [
    { hook_event_name: "PreToolUse", ...bash },
    { hook_event_name: "PostToolUse", ...bash, tool_response: { stdout: "fine" } },
    { hook_event_name: "PostToolUse", tool_name: "Read", tool_input: { file_path: "/a" } },
    { hook_event_name: "PostToolUse", tool_name: "Edit", tool_input: { file_path: "/b.ts" } },
    { hook_event_name: "PostToolUseFailure", ...bash, error: "exit code 1: three tests failed" },
    { hook_event_name: "Stop", last_assistant_message: "All done." },
    { hook_event_name: "SomethingNew", more: [1] },
  ]) {
    expect(await hook({ ...session, ...event })).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
  }
  const project = sandbox.folder.split("/").at(-1);
  expect(await remembered()).toMatchObject([
    {
      text: "Bash: npm test",
      scope: { agent: "claude-code", session: "s1", project },
      tags: ["command", "hook", "tool"],
    },
    { text: "Edit: /b.ts", tags: ["hook", "task", "tool"] },
    {
      text: "Bash: npm test failed: exit code 1: three tests failed",
      tags: ["command", "failure", "hook", "tool"],
    },
    { text: "The agent answered: All done.", tags: ["agent", "answer", "hook"] },
  ]);
});

/** The processes that work in a folder, as all do that are started there; none but on Linux. */
function processesIn(folder: string): string[] {
  if (!existsSync("/proc/self/cwd")) return [];
  return readdirSync("/proc").filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false;
    }
  });
}

test("a hundred hooks at once: all captured, none lost, nobody left behind", async () => {
  await add("so that there is a memory");
  const words = Array.from({ length: 100 }, (_, n) =>
    String.fromCodePoint(97 + Math.floor(n / 10), 97 + (n % 10)).repeat(4),
  );
  const before = processesIn(sandbox.folder);
  const results = await Promise.all(
    words.map((word) =>
      hook({ hook_event_name: "UserPromptSubmit", session_id: "s", prompt: `about ${word}` }),
    ),
  );
  expect(results.filter(({ status, stderr }) => status !== 0 || stderr !== "")).toEqual([]);
  expect(processesIn(sandbox.folder)).toEqual(before);
  const { json } = await sandbox.run([
    "memory",
    "list",
    "--tag",
    "prompt",
    "--limit",
    "200",
    "--json",
  ]);
  const texts = json.data.memories.map(({ text }: { text: string }) => text);
  expect(texts.toSorted()).toEqual(words.map((word) => `about ${word}`).toSorted());
}, 600_000);

describe("silent, with exit status 0", () => {
  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["another JSON", "[1]"],
    ["no event", "{}"],
    [
      "fields of other types",
      '{"hook_event_name":"UserPromptSubmit","prompt":7,"cwd":[],"session_id":{}}',
    ],
    ["half a character", '{"hook_event_name":"UserPromptSubmit","prompt":"\\ud800"}'],
    [
      "a folder that is not there",
      '{"hook_event_name":"Stop","cwd":"/no/such/folder","last_assistant_message":"x"}',
    ],
  ])("for %s on stdin", async (_what, input) => {
    await add("so that there is a memory");
    expect(await hook(input)).toMatchObject({ status: 0, stderr: "" });
  });

  test("with a configuration that is wrong, and with none at all", async () => {
    const event = { hook_event_name: "UserPromptSubmit", prompt: "hello" };
    writeFileSync(join(sandbox.folder, "holdfast.yaml"), "nonsense: [");
    expect(await hook(event)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    writeFileSync(join(sandbox.folder, "holdfast.yaml"), "");
    expect(await hook(event)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(join(sandbox.folder, ".holdfast"))).toBe(false);
    expect(existsSync(sandbox.environment["XDG_DATA_HOME"] ?? "")).toBe(false);
  });

  test.each([
    ["in a folder that was removed meanwhile", "mkdir gone && cd gone && rmdir ../gone; HOOK"],
    ["when what it says finds no room", "HOOK >/dev/full"],
  ])("%s", async (_what, line) => {
    await add("so that there is a memory");
    const hookLine = `"${process.execPath}" ${[...NODE_OPTIONS, BIN].join(" ")} hook claude-code`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", line.replace("HOOK", hookLine)], {
      cwd: sandbox.folder,
      env: sandbox.environment,
      input: JSON.stringify({ hook_event_name: "SessionStart", session_id: "s" }),
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

test("what is told stays within what the agent takes", () => {
  const memory = {
    id: "1",
    tags: [],
    scope: {},
    metadata: {},
    createdAt: 0,
    text: "word ".repeat(2_000),
  };
  const input = { hook_event_name: "SessionStart" };
  const output = JSON.parse(
    contextOutput(
      input,
      Array.from({ length: 50 }, () => memory),
    ) ?? "",
  );
  expect(output.hookSpecificOutput.additionalContext.length).toBeLessThan(10_000);
  expect(contextOutput(input, [])).toBeUndefined();
});

const same = (text: string): string => text;

test("a tool's whole input is not kept, and a prompt without words is no event", () => {
  const write = parseHookInput(
    JSON.stringify({
      hook_event_name: "PostToolUse",
      tool_name: "mcp__x__y",
      tool_input: { body: "z".repeat(9_999) },
    }),
  );
  expect(eventOfHook(write as never, "p", same)?.text.length).toBeLessThan(1_100);
  expect(
    eventOfHook({ hook_event_name: "UserPromptSubmit", prompt: "" }, "p", same),
  ).toBeUndefined();
});

describe("hook install", () => {
  const settings = (): string => join(sandbox.folder, ".claude/settings.json");

  test("merges, says what it did, and undoes it", async () => {
    mkdirSync(join(sandbox.folder, ".claude"));
    writeFileSync(settings(), '{"model":"m"}');
    const { json, status } = await sandbox.run(["hook", "install", "--json"]);
    expect({ status, events: json.data.events.length }).toEqual({ status: 0, events: 9 });
    expect(JSON.parse(readFileSync(settings(), "utf8"))).toMatchObject({ model: "m" });
    await sandbox.run(["hook", "install", "--undo"]);
    expect(JSON.parse(readFileSync(settings(), "utf8"))).toEqual({ model: "m" });
  });

  test("writes through a link, and leaves what it links to after undo, empty as it was", async () => {
    mkdirSync(join(sandbox.folder, ".claude"));
    writeFileSync(join(sandbox.folder, "real.json"), "{}");
    symlinkSync("../real.json", settings());
    await sandbox.run(["hook", "install"]);
    expect(readFileSync(join(sandbox.folder, "real.json"), "utf8")).toContain("hook claude-code");
    await sandbox.run(["hook", "install", "--undo"]);
    expect(readFileSync(join(sandbox.folder, "real.json"), "utf8")).toBe("{}");
  });

  // What the user's mask takes from new files was taken from this one, too.
  test("leaves who may read and write the file as it was", async () => {
    mkdirSync(join(sandbox.folder, ".claude"));
    writeFileSync(settings(), "{}");
    chmodSync(settings(), 0o662);
    await sandbox.run(["hook", "install"]);
    expect(statSync(settings()).mode & 0o777).toBe(0o662);
  });

  test("leaves a file that it cannot read as it is", async () => {
    mkdirSync(join(sandbox.folder, ".claude"));
    writeFileSync(settings(), "{ // mine\n}");
    const { status, json } = await sandbox.run(["hook", "install", "--json"]);
    expect([status, json.error.code]).toEqual([1, "HOOK_SETTINGS_INVALID"]);
    expect(readFileSync(settings(), "utf8")).toBe("{ // mine\n}");
  });
});
