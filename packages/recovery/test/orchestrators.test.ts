import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { FakeClock } from "@holdfast/core/testing";
import { ChildOrchestrator, CommandOrchestrator, SystemdOrchestrator } from "../src/index.ts";
import { scratchFolder } from "./scratch.ts";

const SIGNAL = new AbortController().signal;
const SLEEPER = [process.execPath, "-e", "setInterval(() => 0, 1000)"];
const STUBBORN = [
  process.execPath,
  "-e",
  "process.on('SIGTERM', () => 0); require('fs').writeFileSync(process.argv[1], ''); setInterval(() => 0, 1000)",
];

function runs(pid: number | undefined): boolean {
  return spawnSync("kill", ["-0", String(pid)]).status === 0;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("a child", () => {
  test("is started once, restarted as another process, and ended", async () => {
    await using child = new ChildOrchestrator({ command: SLEEPER });
    expect(await child.state()).toBe("stopped");
    await child.start(SIGNAL);
    await child.start(SIGNAL);
    const first = child.pid;
    expect(await child.state()).toBe("running");
    await child.restart(SIGNAL);
    expect(runs(first)).toBe(false);
    expect(runs(child.pid)).toBe(true);
    await child.stop(SIGNAL);
    expect(await child.state()).toBe("stopped");
  });

  test("that ignores the first signal gets the next", async () => {
    const file = join(scratchFolder(), "ready");
    const clock = new FakeClock();
    const options = { command: [...STUBBORN, file], stopTimeoutMs: 200 };
    await using child = new ChildOrchestrator(options, { clock });
    await child.start(SIGNAL);
    await until(() => existsSync(file));
    const { pid } = child;
    const stopping = child.stop(SIGNAL);
    await clock.advance(199);
    expect(runs(pid)).toBe(true);
    await clock.advance(1);
    await stopping;
    expect(runs(pid)).toBe(false);
  });

  test("that dies tells at once how, and is failed; one that is stopped tells nothing", async () => {
    await using child = new ChildOrchestrator({ command: SLEEPER });
    const exits: string[] = [];
    child.onExit(({ how }) => exits.push(how));
    await child.start(SIGNAL);
    await child.restart(SIGNAL);
    process.kill(child.pid ?? 0, "SIGKILL");
    await until(() => exits.length > 0);
    expect(exits).toEqual(["SIGKILL"]);
    expect(await child.state()).toBe("failed");
  });

  test("that cannot be run says why", async () => {
    await using child = new ChildOrchestrator({ command: ["/does/not/exist"] });
    await expect(child.start(SIGNAL)).rejects.toMatchObject({
      code: "ORCHESTRATOR_FAILED",
      message: expect.stringContaining("ENOENT"),
    });
  });
});

/** Writes what it was called with, and answers as a file beside it says. */
function recorder(): { program: string; calls: () => string[]; answer: (text: string) => void } {
  const folder = scratchFolder();
  const program = join(folder, "recorder");
  const [log, says] = [join(folder, "log"), join(folder, "says")];
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s|' "$@" >> ${log}\necho >> ${log}\ncat ${says} 2>/dev/null\nexit 0\n`,
  );
  chmodSync(program, 0o755);
  return {
    program,
    calls: () => readFileSync(log, "utf8").trim().split("\n"),
    answer: (text) => writeFileSync(says, text),
  };
}

describe("a systemd unit", () => {
  test("is asked and ordered by name, of the user's manager when so told", async () => {
    const { program, calls, answer } = recorder();
    const unit = new SystemdOrchestrator({
      unit: "chroma.service",
      user: true,
      systemctl: [program],
    });
    answer("active");
    expect(await unit.state(SIGNAL)).toBe("running");
    await unit.start(SIGNAL);
    await unit.stop(SIGNAL);
    expect(calls()).toEqual([
      "--user|is-active|--|chroma.service|",
      "--user|start|--|chroma.service|",
      "--user|stop|--|chroma.service|",
    ]);
  });

  test("that many ask for at once is told each time: what was said is not lost at the end", async () => {
    const { program, answer } = recorder();
    answer("active");
    const unit = new SystemdOrchestrator({ unit: "chroma.service", systemctl: [program] });
    const states = await Promise.all(Array.from({ length: 16 }, () => unit.state(SIGNAL)));
    expect(new Set(states)).toEqual(new Set(["running"]));
  });

  test("that systemd has given up on is reset before it is restarted", async () => {
    const { program, calls, answer } = recorder();
    const unit = new SystemdOrchestrator({ unit: "chroma.service", systemctl: [program] });
    answer("failed");
    await unit.restart(SIGNAL);
    expect(calls().map((call) => call.split("|")[0])).toEqual([
      "is-active",
      "reset-failed",
      "restart",
    ]);
  });

  test.each([
    ["inactive", "stopped"],
    ["activating", "running"],
    ["anything else", "unknown"],
  ])("%s is %s", async (said, state) => {
    const { program, answer } = recorder();
    answer(said);
    const unit = new SystemdOrchestrator({ unit: "chroma.service", systemctl: [program] });
    expect(await unit.state(SIGNAL)).toBe(state);
  });
});

describe("commands", () => {
  test("get their arguments as they are: no shell reads them", async () => {
    const { program, calls } = recorder();
    const service = new CommandOrchestrator({ restart: [program, "a b", "$(id)", ";"] });
    await service.restart(SIGNAL);
    expect(calls()).toEqual(["a b|$(id)|;|"]);
  });

  test("that fail say what they said", async () => {
    const service = new CommandOrchestrator({
      restart: ["sh", "-c", "echo no such unit >&2; exit 5"],
    });
    await expect(service.restart(SIGNAL)).rejects.toMatchObject({
      code: "ORCHESTRATOR_FAILED",
      message: expect.stringContaining("exit code 5: no such unit"),
    });
  });

  test("that hang are ended at their time limit", async () => {
    const service = new CommandOrchestrator({ restart: ["sleep", "60"], timeoutMs: 100 });
    await expect(service.restart(SIGNAL)).rejects.toThrow("no end within 100 ms");
  });

  test("may leave a service behind that holds their pipes", async () => {
    const file = join(scratchFolder(), "pid");
    const script = 'sleep 600 & echo $! > "$0"';
    const service = new CommandOrchestrator({ restart: ["sh", "-c", script, file] });
    await expect(service.restart(SIGNAL)).resolves.toBeUndefined();
    process.kill(Number(readFileSync(file, "utf8")));
  });

  test("tell the state by their exit code, which is unknown without one", async () => {
    const of = (state?: string[]) =>
      new CommandOrchestrator({ restart: ["true"], ...(state && { state }) }).state(SIGNAL);
    expect(await Promise.all([of(["true"]), of(["false"]), of()])).toEqual([
      "running",
      "stopped",
      "unknown",
    ]);
  });

  test("cannot stop what no command stops", async () => {
    const service = new CommandOrchestrator({ restart: ["true"] });
    await expect(service.stop(SIGNAL)).rejects.toMatchObject({ code: "ORCHESTRATOR_FAILED" });
  });
});
