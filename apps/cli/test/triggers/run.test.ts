import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../run-cli.ts";
import { rememberingSandbox, RUN, RUN_LINE } from "./run-fixture.ts";

let sandbox: Sandbox;
beforeEach(async () => void (sandbox = await rememberingSandbox()));
afterEach(() => sandbox.remove());

function start(words: readonly string[], stderr: "pipe" | number = "pipe"): ChildProcess {
  return spawn(process.execPath, [...RUN, ...words], {
    cwd: sandbox.folder,
    env: sandbox.environment,
    stdio: ["pipe", "pipe", stderr],
  });
}

async function runs(): Promise<{ text: string; metadata: Record<string, unknown> }[]> {
  const { json } = await sandbox.run([
    "memory",
    "list",
    "--tag",
    "command",
    "--json",
    "--no-trigger",
  ]);
  return json.data.memories.toReversed();
}

test("exit code, stdin and both streams are the program's own, and it is remembered", async () => {
  const script = "cat; echo complaint >&2; exit 7";
  const result = await sandbox.run(["run", "--", "sh", "-c", script], { input: "some\0bytes\n" });
  expect(result).toMatchObject({ status: 7, stdout: "some\0bytes\n", stderr: "complaint\n" });
  expect(await runs()).toMatchObject([
    {
      text: expect.stringMatching(
        /^sh -c '.*' ended with exit code 7 after [\d.]+ m?s\ncomplaint$/,
      ),
      metadata: { outcome: "error", exit_status: 7, program: "sh", source: "run" },
    },
  ]);
});

describe("the end of stderr is remembered of a failure", () => {
  const script = 'for n in $(seq 2000); do echo "line $n" >&2; done; exit 1';

  test("through a pipe, into which /dev/stderr can be opened", async () => {
    const piped = `${RUN_LINE} sh -c 'echo by name >/dev/stderr; exit 3' 2>&1 >/dev/null | cat`;
    const { stdout } = spawnSync("sh", ["-c", piped], {
      cwd: sandbox.folder,
      env: sandbox.environment,
      encoding: "utf8",
    });
    expect(stdout).toBe("by name\n");
    expect((await runs())[0]?.text).toContain("\nby name");
  });

  test("in a file, which the program writes itself", async () => {
    const file = join(sandbox.folder, "stderr.txt");
    const descriptor = openSync(file, "w");
    const child = start(["sh", "-c", script], descriptor);
    closeSync(descriptor);
    expect(await once(child, "exit")).toEqual([1, null]);
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(2_001);
    const text = (await runs())[0]?.text ?? "";
    expect(text).toMatch(/line 2000$/);
    expect(text).not.toContain("line 100\n");
  });

  test("redacted", async () => {
    const password = ["Sesame", "x", 99].join("");
    const leak = `${RUN_LINE} sh -c 'echo "DB_PASSWORD=${password}" >&2; exit 3' 2>&1 >/dev/null | cat`;
    spawnSync("sh", ["-c", leak], { cwd: sandbox.folder, env: sandbox.environment });
    const text = (await runs())[0]?.text ?? "";
    expect(text).toContain("DB_PASSWORD=[redacted:pair]");
    expect(text).not.toContain(password);
  });
});

// What was still on its way at the program's end was lost.
test.each(["exit 3", "kill -TERM $$"])(
  "stderr is whole and in order where it is read slowly, and the program ends by %s",
  (end) => {
    // Between what two pipes hold and what holds up the program: 64 KiB to some 200.
    for (const lines of [14_000, 25_000, 40_000]) {
      const slow = `${RUN_LINE} sh -c 'seq ${lines} >&2; ${end}' 2>&1 >/dev/null | (sleep 2; cat)`;
      const shell = { cwd: sandbox.folder, env: sandbox.environment, encoding: "utf8" } as const;
      const { stdout } = spawnSync("sh", ["-c", slow], shell);
      expect(stdout).toBe(spawnSync("seq", [String(lines)], shell).stdout);
    }
  },
);

test("what the program leaves behind keeps its stderr, and is not waited for", async () => {
  const script = "(until [ -e go ]; do sleep 0.1; done; echo late >&2) & exit 4";
  const child = start(["sh", "-c", script]);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = once(child, "close");
  expect(await once(child, "exit")).toEqual([4, null]);
  expect(stderr).toBe("");
  writeFileSync(join(sandbox.folder, "go"), "");
  await closed;
  expect(stderr).toBe("late\n");
});

test("a program that is not there, and one that is none", async () => {
  expect(await sandbox.run(["run", "--", "no-such-program"])).toMatchObject({ status: 127 });
  expect(await sandbox.run(["run", "--", sandbox.folder])).toMatchObject({ status: 126 });
  expect(await sandbox.run(["run"])).toMatchObject({ status: 2 });
});

test("a broken configuration is no reason not to run", async () => {
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), "nonsense: [");
  const result = await sandbox.run(["run", "--", "sh", "-c", "echo out; exit 3"]);
  expect(result).toMatchObject({ status: 3, stdout: "out\n", stderr: "" });
});

// It was called unexpected, and the program was not run.
test("nor is a folder that was removed meanwhile; other commands say what is wrong", async () => {
  const holdfast = RUN_LINE.replace(/ run --$/, "");
  const gone = (line: string): unknown => {
    const script = `mkdir gone && cd gone && rmdir ../gone; ${line}`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script], {
      cwd: sandbox.folder,
      env: sandbox.environment,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  expect(gone(`${RUN_LINE} echo out`)).toEqual({ status: 0, stdout: "out\n", stderr: "" });
  expect(gone(`${holdfast} memory list`)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error: The folder that this is run in was removed\nnext: /),
  });
});
