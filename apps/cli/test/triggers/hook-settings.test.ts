import { expect, test } from "@jest/globals";
import { HOOK_EVENTS, withHooks, withoutHooks } from "../../src/hook/hook-settings.ts";

const COMMAND = "holdfast hook claude-code";
const FILE = "settings.json";

test("into no file at all, and out again", () => {
  const { text, events } = withHooks(undefined, COMMAND, FILE);
  expect(events).toEqual(HOOK_EVENTS);
  expect(JSON.parse(text ?? "").hooks.Stop).toEqual([
    { hooks: [{ type: "command", command: COMMAND, timeout: 60 }] },
  ]);
  expect(withoutHooks(text, FILE)).toEqual({ text: "{}\n", events: HOOK_EVENTS });
});

test.each(["{}", "{}\n", "{ }"])("empty settings stay as they were written: %j", (before) => {
  expect(withoutHooks(withHooks(before, COMMAND, FILE).text, FILE).text).toBe(before);
});

test("what is there is kept, whatever it is, and is there again after undo, byte by byte", () => {
  const before = `${JSON.stringify(
    {
      model: "some",
      hooks: {
        Stop: [{ matcher: "x", hooks: [{ type: "command", command: "say done" }], own: 1 }],
        Unknown: [{ hooks: [] }],
      },
      permissions: { allow: ["Bash(ls:*)"] },
    },
    undefined,
    "\t",
  )}\n`;
  const { text = "" } = withHooks(before, COMMAND, FILE);
  const after = JSON.parse(text);
  expect(after).toMatchObject({ model: "some", permissions: { allow: ["Bash(ls:*)"] } });
  expect(after.hooks.Stop[0]).toEqual(JSON.parse(before).hooks.Stop[0]);
  expect(withHooks(text, COMMAND, FILE)).toEqual({ text, events: [] });
  expect(withoutHooks(text, FILE).text).toBe(before);
});

test.each([
  [
    "by hand",
    '{\n    "model":   "x",\n  "n": [1.0, 12345678901234567890, 1e400],\n "s": "{\\"}]" }\n',
  ],
  ["on one line", '{"a":{"b":[]},"hooks":{"Stop":[{"hooks":[{"type":"command","command":"x"}]}]}}'],
  ["with Windows' line breaks", '{\r\n\t"a": 1,\r\n\t"hooks": {"PreToolUse": []}\r\n}\r\n'],
  [
    "with a byte order mark, and a key twice",
    '\uFEFF{"a": 1, "a": 2, "hooks": {"x": 1}, "hooks": {"y": []} }',
  ],
  [
    "with blanks in what is empty",
    '{"a": { }, "hooks": {"Stop": [ {"hooks": [ ]} ] , "y": [\n] } }',
  ],
])("settings written %s keep every byte, and have them alone after undo", (_how, before) => {
  const { text = "" } = withHooks(before, COMMAND, FILE);
  const parsed = JSON.parse(text.replace("\uFEFF", ""));
  for (const event of HOOK_EVENTS)
    expect(parsed.hooks[event].at(-1).hooks[0].command).toBe(COMMAND);
  // Ours taken out, what is left is what was there.
  let at = 0;
  for (const character of before) at = text.indexOf(character, at) + 1 || Number.NaN;
  expect(at).not.toBeNaN();
  expect(withoutHooks(text, FILE).text).toBe(before);
});

test("undo leaves what was added meanwhile, also beside ours in one group", () => {
  const { text = "" } = withHooks("{}", COMMAND, FILE);
  const edited = JSON.parse(text);
  edited.hooks.Stop[0].hooks.push({ type: "command", command: "say done" });
  edited.theme = "dark";
  const { text: left = "" } = withoutHooks(JSON.stringify(edited), FILE);
  expect(JSON.parse(left)).toEqual({
    theme: "dark",
    hooks: { Stop: [{ hooks: [{ type: "command", command: "say done" }] }] },
  });
  expect(withoutHooks(left, FILE)).toEqual({ text: left, events: [] });
});

test.each([
  ["no JSON", "{ // a comment\n}"],
  ["a list", "[]"],
  ["hooks that are a list", '{"hooks": []}'],
  ["an event that is no list", '{"hooks": {"Stop": {}}}'],
])("%s is refused, and not touched", (_what, text) => {
  const refusal = expect.objectContaining({ code: "HOOK_SETTINGS_INVALID" });
  expect(() => withHooks(text, COMMAND, FILE)).toThrow(refusal);
  expect(() => withoutHooks(text, FILE)).toThrow(refusal);
});
