import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BIN, NODE_OPTIONS, Sandbox } from "../run-cli.ts";

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = new Sandbox();
  delete sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  const store = "vector_store: {config: {host: 127.0.0.1, port: 9}}";
  writeFileSync(join(sandbox.folder, "holdfast.yaml"), `${store}\noutbox: {wait: 0}\n`);
  await sandbox.run(["memory", "add", "so that there is a memory", "--no-trigger"]);
});
afterEach(() => sandbox.remove());

const RUN = [...NODE_OPTIONS, BIN, "run", "--"];

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
    const piped = `"${process.execPath}" ${RUN.join(" ")} sh -c 'echo by name >/dev/stderr; exit 3' 2>&1 >/dev/null | cat`;
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
    const leak = `"${process.execPath}" ${RUN.join(" ")} sh -c 'echo "DB_PASSWORD=${password}" >&2; exit 3' 2>&1 >/dev/null | cat`;
    spawnSync("sh", ["-c", leak], { cwd: sandbox.folder, env: sandbox.environment });
    const text = (await runs())[0]?.text ?? "";
    expect(text).toContain("DB_PASSWORD=[redacted:pair]");
    expect(text).not.toContain(password);
  });
});

test("a signal that ends the program ends this one, too", async () => {
  const child = start(["sh", "-c", "kill -TERM $$"]);
  expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
  expect((await runs())[0]?.text).toContain("was ended by SIGTERM");
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s is passed on, and the program answers it",
  async (signal) => {
    const script = `trap 'echo heard; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`;
    const child = start(["sh", "-c", script]);
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (!stdout.includes("ready")) setTimeout(() => child.kill(signal), 50);
      stdout += text;
    });
    expect(await once(child, "close")).toEqual([5, null]);
    expect(stdout).toBe("ready\nheard\n");
  },
);

test("what the program leaves behind keeps its stderr, and is not waited for", async () => {
  const began = performance.now();
  const script = "(sleep 3; echo late >&2) & exit 4";
  const child = start(["sh", "-c", script]);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = once(child, "close");
  expect(await once(child, "exit")).toEqual([4, null]);
  expect(performance.now() - began).toBeLessThan(3_000);
  await closed;
  expect(stderr).toBe("late\n");
}, 30_000);

test("a terminal stays one, as full-screen programs need it", async () => {
  const ask =
    "process.stdout.write(JSON.stringify([0, 1, 2].map((fd) => require('node:tty').isatty(fd))))";
  writeFileSync(join(sandbox.folder, "ask.cjs"), ask);
  const line = `"${process.execPath}" ${RUN.join(" ")} "${process.execPath}" ask.cjs`;
  const { stdout, error } = spawnSync("script", ["-qec", line, "/dev/null"], {
    cwd: sandbox.folder,
    env: sandbox.environment,
    encoding: "utf8",
  });
  if (error !== undefined)
    throw new Error("this test needs script(1), of util-linux", { cause: error });
  expect(stdout.trim()).toBe("[true,true,true]");
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
