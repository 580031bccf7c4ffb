import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { loadPolicies, readPolicies } from "@holdfast/policy";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-policies-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rule = (name: string): string =>
  `{name: ${name}, conditions: [{type: always}], actions: [{type: skip}]}\n`;
const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
const names = (): string[] => loadPolicies(folder).ruleset.rules.map(({ name }) => name);

test("every policy of a directory is in force, and neither suites nor hidden files are policies", () => {
  write("b.yaml", rule("b"));
  write("a.json", JSON.stringify({ rules: { a: { conditions: [], actions: [] } } }));
  write("c.policytest.yaml", "no policy");
  write(".d.yaml", "no policy");
  expect(() => names()).toThrow(expect.objectContaining({ code: "POLICY_INVALID" }));
  write("a.json", rule("a").replaceAll(/(\w+)/g, '"$1"'));
  expect(names()).toEqual(["a", "b"]);
  rmSync(folder, { recursive: true });
  expect(names()).toEqual([]);
});

test.each([
  ["a folder", () => mkdirSync(join(folder, "a.yaml"))],
  ["a link that leads nowhere", () => symlinkSync("nowhere", join(folder, "a.yaml"))],
])("%s in a policy's place is no policy that may be missing", (_, make) => {
  make();
  expect(() => readPolicies(folder)).toThrow(
    expect.objectContaining({ code: "POLICY_UNREADABLE" }),
  );
});

// A rule that was to look for such a letter never found it.
test("a policy that is not UTF-8 is unreadable", () => {
  writeFileSync(join(folder, "a.yaml"), Buffer.from(rule("grüße"), "latin1"));
  expect(() => readPolicies(folder)).toThrow("it is not UTF-8");
});

// A memory could not be written while another process removed a policy.
test("a policy that is removed after the directory was listed is none", async () => {
  expect(spawnSync("mkfifo", [join(folder, "a.yaml")]).status).toBe(0);
  write("b.yaml", rule("b"));
  write("a.txt", rule("a"));
  // The pipe opens when it is read: the directory is listed then, and b.yaml not read yet.
  const script = "exec 3>a.yaml && rm b.yaml && cat a.txt >&3";
  const remover = spawn("sh", ["-c", script], { cwd: folder, stdio: "ignore" });
  const ended = once(remover, "exit");
  expect(names()).toEqual(["a"]);
  expect(await ended).toEqual([0, null]);
});
