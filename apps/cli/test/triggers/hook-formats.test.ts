import { expect, test } from "@jest/globals";
import { eventOfHook } from "../../src/hook/hook-event.ts";
import { parseHookInput } from "../../src/hook/hook-input.ts";
import { HOOK_EVENTS } from "../../src/hook/hook-settings.ts";

/** Fields that every event has, as published at code.claude.com/docs/en/hooks. */
const COMMON = {
  session_id: "abc123",
  transcript_path: "/home/ada/.claude/projects/p/00893aaf.jsonl",
  cwd: "/home/ada/project",
  permission_mode: "default",
};
const BASH = {
  tool_name: "Bash",
  tool_input: { command: "npm test", description: "Run test suite" },
  tool_use_id: "toolu_01ABC123",
};
const WRITE = { file_path: "/home/ada/a.txt", content: "file content" };

/** One of each published event, and what is remembered of it. */
const EVENTS: readonly (readonly [string, object, string | undefined])[] = [
  ["SessionStart", { source: "startup", model: "m" }, "A session began (startup)"],
  ["SessionStart", { source: "compact", model: "m" }, "A session began (compact)"],
  ["InstructionsLoaded", { file_path: "/p/CLAUDE.md", load_reason: "session_start" }, undefined],
  ["UserPromptSubmit", { prompt: "Write a function" }, "Write a function"],
  ["PreToolUse", BASH, undefined],
  ["PermissionRequest", BASH, undefined],
  ["PermissionDenied", { ...BASH, reason: "no" }, undefined],
  [
    "PostToolUse",
    { ...BASH, tool_response: { stdout: "ok", interrupted: false } },
    "Bash: npm test",
  ],
  [
    "PostToolUse",
    { tool_name: "Write", tool_input: WRITE, tool_response: {} },
    "Write: /home/ada/a.txt",
  ],
  ["PostToolUse", { tool_name: "Grep", tool_input: { pattern: "x" } }, undefined],
  [
    "PostToolUseFailure",
    { ...BASH, error: "Command exited with non-zero status code 1", is_interrupt: false },
    "Bash: npm test failed: Command exited with non-zero status code 1",
  ],
  ["PostToolBatch", { tool_calls: [] }, undefined],
  ["Notification", { message: "needs you", notification_type: "idle_prompt" }, undefined],
  ["SubagentStart", { agent_id: "a1", agent_type: "Explore" }, undefined],
  [
    "SubagentStop",
    {
      stop_hook_active: false,
      agent_id: "a1",
      agent_type: "Explore",
      last_assistant_message: "Found 3",
    },
    "The agent Explore answered: Found 3",
  ],
  ["TaskCreated", { task_id: "1", task_subject: "Fix it" }, undefined],
  ["TaskCompleted", { task_id: "1", task_subject: "Fix it" }, undefined],
  [
    "Stop",
    { stop_hook_active: true, last_assistant_message: "Done." },
    "The agent answered: Done.",
  ],
  ["Stop", { stop_hook_active: false }, undefined],
  ["StopFailure", { error: "rate_limit", last_assistant_message: "API Error" }, undefined],
  ["TeammateIdle", { teammate_name: "r", team_name: "t" }, undefined],
  ["ConfigChange", { source: "project_settings" }, undefined],
  ["CwdChanged", { old_cwd: "/a", new_cwd: "/b" }, undefined],
  ["FileChanged", { file_path: "/a/.envrc", event: "change" }, undefined],
  ["WorktreeCreate", { name: "feature-auth" }, undefined],
  ["WorktreeRemove", { worktree_path: "/a/b" }, undefined],
  ["PreCompact", { trigger: "auto", custom_instructions: "" }, "The context is compacted (auto)"],
  [
    "PreCompact",
    { trigger: "manual", custom_instructions: "keep the plan" },
    "The context is compacted (manual): keep the plan",
  ],
  [
    "PostCompact",
    { trigger: "auto", compact_summary: "We moved" },
    "What the session was about: We moved",
  ],
  ["Elicitation", { mcp_server_name: "s" }, undefined],
  ["SessionEnd", { reason: "prompt_input_exit" }, "The session ended (prompt_input_exit)"],
];

test.each(EVENTS)("%s %j", (name, fields, text) => {
  const input = parseHookInput(JSON.stringify({ ...COMMON, hook_event_name: name, ...fields }));
  if (input === undefined) throw new Error("it is no event");
  const event = eventOfHook(input, "project", (it) => it);
  expect(event?.text).toBe(text);
  expect(event === undefined || event.scope?.session === "abc123").toBe(true);
});

test("what is installed is what is remembered, and nothing else", () => {
  const remembered = EVENTS.filter(([, , text]) => text !== undefined).map(([name]) => name);
  expect(HOOK_EVENTS.toSorted()).toEqual([...new Set(remembered)].toSorted());
});
