import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "@holdfast/testkit";
import type { Sandbox } from "../run-cli.ts";
import { rememberingSandbox, RUN_LINE } from "./run-fixture.ts";

jest.setTimeout(300_000);

/** A shell that controls jobs, on a terminal as script(1) of util-linux makes one. */
class Terminal {
  readonly #script: ChildProcess;
  #shown = "";

  constructor({ folder, environment }: Sandbox) {
    writeFileSync(join(folder, "run"), `#!/bin/sh\nexec ${RUN_LINE} "$@"\n`, { mode: 0o755 });
    const shell = "bash --norc --noprofile --noediting -i";
    this.#script = spawn("script", ["-qec", shell, "/dev/null"], {
      cwd: folder,
      env: { ...environment, TERM: "xterm", PS1: "", HISTFILE: "" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#script.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#shown += text));
    // Only what programs say is to be shown.
    this.type("stty -echo; echo without echo\n");
  }

  type(keys: string): void {
    this.#script.stdin?.write(keys);
  }

  /** Waits until a pattern is shown; returns all up to its end, which is not looked at again. */
  async shows(pattern: RegExp): Promise<string> {
    const end = await until(`${pattern} on the terminal`, () => {
      const found = pattern.exec(this.#shown);
      return found === null ? undefined : found.index + found[0].length;
    });
    const shown = this.#shown.slice(0, end);
    this.#shown = this.#shown.slice(end);
    return shown.replaceAll("\r", "");
  }

  close(): void {
    this.#script.kill("SIGKILL");
  }
}

let sandbox: Sandbox;
let terminal: Terminal;
beforeEach(async () => {
  sandbox = await rememberingSandbox();
  terminal = new Terminal(sandbox);
  await terminal.shows(/^without echo/m);
});
afterEach(() => {
  terminal.close();
  sandbox.remove();
});

const LOOP = "while :; do sleep 0.05; done";

test("a terminal stays one, as full-screen programs need it, and they get each key", async () => {
  terminal.type(
    `./run sh -c 'test -t 0 && test -t 1 && test -t 2 && stty raw -echo && echo raw && echo "ready for $(dd bs=1 count=1 2>/dev/null | od -An -tx1)"; stty sane -echo'\n`,
  );
  await terminal.shows(/^raw/m);
  // A key that a terminal in its usual mode would take for itself.
  terminal.type("\u0003");
  expect(await terminal.shows(/ready for +\w\w/)).toMatch(/ 03$/);
});

test("a window that changes its size tells the program", async () => {
  terminal.type(`./run sh -c 'trap "stty size" WINCH; tty; ${LOOP}'\n`);
  const [device = ""] = /\/dev\/\S+/.exec(await terminal.shows(/\/dev\/\S+\r/)) ?? [];
  spawnSync("stty", ["-F", device.trim(), "rows", "50", "cols", "132"]);
  expect(await terminal.shows(/\d+ 132/)).toMatch(/50 132$/);
});

test("Ctrl-C is for the program, which gets it once, also where its stdin is no terminal", async () => {
  // However long the first is on its way: a second one would come with it.
  const script = `n=0; trap "n=\\$((n+1))" INT; echo ready; while [ $n = 0 ]; do sleep 0.1; done; ${"sleep 0.1; ".repeat(5)} echo "heard $n"`;
  terminal.type(`sleep 60 | ./run sh -c '${script}'\n`);
  await terminal.shows(/ready/);
  terminal.type("\u0003");
  expect(await terminal.shows(/heard \d/)).toMatch(/heard 1$/);
});

test("Ctrl-Z stops it and the program, and fg lets both go on", async () => {
  terminal.type(`./run sh -c 'echo ready; read -r line; echo "read $line"; exit 3'\n`);
  await terminal.shows(/ready/);
  terminal.type("\u001A");
  await terminal.shows(/Stopped/);
  terminal.type("echo the shell is back\nfg\n");
  await terminal.shows(/^the shell is back/m);
  await terminal.shows(/run sh -c/);
  terminal.type("a line\necho status $?\n");
  expect(await terminal.shows(/status \d+/)).toMatch(/read a line\nstatus 3$/);
});

// Node put it back into the state in which it had found it.
test("what the program does to the terminal stays, as of stty or reset", async () => {
  terminal.type("./run stty tostop; stty -a; echo end\n");
  expect(await terminal.shows(/^end/m)).toContain(" tostop");
});
