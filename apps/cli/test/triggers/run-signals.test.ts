import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Sandbox } from "../run-cli.ts";
import { rememberingSandbox, RUN, RUN_LINE } from "./run-fixture.ts";

let sandbox: Sandbox;
beforeEach(async () => void (sandbox = await rememberingSandbox()));
afterEach(() => sandbox.remove());

function start(script: string): ChildProcess {
  return spawn(process.execPath, [...RUN, "sh", "-c", script], {
    cwd: sandbox.folder,
    env: sandbox.environment,
  });
}

/** What it wrote to stdout, and to stderr, by its end; `onFirst` is called when it begins to. */
async function outputOf(child: ChildProcess, onFirst: () => void): Promise<[string, string]> {
  const output: [string, string] = ["", ""];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output[1] += text));
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (output[0] === "") onFirst();
    output[0] += text;
  });
  await once(child, "close");
  return output;
}

// SIGUSR1 opened Node's debugger instead, and SIGALRM left the program behind.
test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGQUIT"] as const)(
  "%s is passed on, and the program answers it",
  async (signal) => {
    const child = start(
      `trap 'echo heard; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`,
    );
    const output = await outputOf(child, () => child.kill(signal));
    expect(output).toEqual(["ready\nheard\n", ""]);
    expect(child.exitCode).toBe(5);
  },
);

// Asking whether stdin is a terminal made the pipe one that does not wait, for the program as well.
test("a program that reads a pipe goes on reading after a signal", async () => {
  const child = start(
    `exec 3<&0; trap 'echo heard' USR2; cat <&3 & status=129; echo ready;
    while [ $status -gt 128 ]; do wait $!; status=$?; done; echo ended with $status`,
  );
  const next: Record<string, () => void> = {
    ready: () => child.stdin?.write("one\n"),
    one: () => child.kill("SIGUSR2"),
    heard: () => child.stdin?.write("two\n"),
    two: () => child.stdin?.end("three\n"),
  };
  createInterface(child.stdout as Readable).on("line", (line) => next[line]?.());
  const output = await outputOf(child, () => undefined);
  expect(output).toEqual(["ready\none\nheard\ntwo\nthree\nended with 0\n", ""]);
});

describe("a signal that ends the program ends this one, too", () => {
  // Node ignores SIGPIPE and SIGXFSZ, and opens its debugger at SIGUSR1: those were exit code 1.
  test.each(["SIGTERM", "SIGKILL", "SIGSEGV", "SIGPIPE", "SIGUSR1", "SIGXFSZ"] as const)(
    "%s",
    async (signal) => {
      const child = start(`ulimit -c 0; echo up; kill -${signal.slice(3)} $$`);
      expect(await outputOf(child, () => undefined)).toEqual(["up\n", ""]);
      expect(child.signalCode).toBe(signal);
    },
  );

  test("as it does in a pipe whose reader has left", () => {
    const line = `set -o pipefail; ${RUN_LINE} yes | head -n 1; echo $?`;
    const { stdout } = spawnSync("bash", ["-c", line], {
      cwd: sandbox.folder,
      env: sandbox.environment,
      encoding: "utf8",
    });
    expect(stdout).toBe("y\n141\n");
  });
});
