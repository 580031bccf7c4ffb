import { expect } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { BIN, NODE_OPTIONS } from "../run-cli.ts";
import { type Bench, keyTests } from "./key-tests.ts";

keyTests("triggers", {
  enabled: async (bench) => {
    expect(await captured(bench, "enabled: true", () => list(bench))).toHaveLength(1);
    expect(await captured(bench, "enabled: false", () => list(bench))).toHaveLength(0);
  },
  commands: async (bench) => {
    const use = async (): Promise<void> => {
      await list(bench);
      await bench.sandbox.run(["run", "--", process.execPath, "--version"]);
    };
    const [only] = await captured(bench, "commands: false", use);
    expect(only?.metadata["source"]).toBe("run");
  },
  keep: async (bench) => {
    const [memory] = await captured(bench, "keep: 2h", () => list(bench));
    expect((memory?.expiresAt ?? 0) - (memory?.createdAt ?? 0)).toBe(7_200_000);
  },
  merge_window: async (bench) => {
    const twice = async (): Promise<void> => {
      await list(bench);
      await list(bench);
    };
    const [merged, ...none] = await captured(bench, "merge_window: 1h", twice);
    expect([merged?.metadata["count"], none]).toEqual([2, []]);
    expect(await captured(bench, "merge_window: 0", twice)).toHaveLength(2);
  },
  text_min: async (bench) => {
    expect(await captured(bench, "text_min: 10000", () => list(bench))).toHaveLength(0);
  },
  text_max: async (bench) => {
    const [memory] = await captured(bench, "text_max: 20", () => list(bench));
    expect(memory?.text).toHaveLength(20 - 1);
    expect(memory?.metadata["cut"]).toBe(true);
  },
  "limits.*.per_minute": async (bench) => {
    const more = "limits: {command: {per_minute: 1}}, merge_window: 0";
    const use = async (): Promise<void> => {
      await list(bench);
      await list(bench);
    };
    expect(await captured(bench, more, use)).toHaveLength(1);
  },
  "limits.*.cooldown": async (bench) => {
    const more = "limits: {command: {cooldown: 1h}}, merge_window: 0";
    const use = async (): Promise<void> => {
      await list(bench);
      await list(bench);
    };
    expect(await captured(bench, more, use)).toHaveLength(1);
  },
  stderr_tail: async (bench) => {
    const [whole] = await captured(bench, "stderr_tail: 100", () => complain(bench));
    expect(whole?.text.split("\n")[1]).toBe("beginning and end");
    const [end] = await captured(bench, "stderr_tail: 3", () => complain(bench));
    expect(end?.text.split("\n")[1]).toBe("end");
    const [none] = await captured(bench, "stderr_tail: 0", () => complain(bench));
    expect(none?.text.split("\n")).toHaveLength(1);
  },
  recall: async (bench) => {
    await captured(bench, "recall: 1, hook_budget: 1h", async () => {
      for (const n of [1, 2]) await bench.run("memory", "add", `tea number ${n}`, "--wait", "0");
      expect(await reminded(bench)).toHaveLength(1);
    });
    await captured(bench, "recall: 0, hook_budget: 1h", async () => {
      expect(await reminded(bench)).toEqual([]);
    });
  },
  hook_budget: async (bench) => {
    await captured(bench, "hook_budget: 1h", async () => {
      await bench.run("memory", "add", "tea is green", "--wait", "0");
      expect(await reminded(bench)).toHaveLength(1);
    });
    await captured(bench, "hook_budget: 1ms", async () => {
      expect(await reminded(bench)).toEqual([]);
    });
  },
});

interface Memory {
  text: string;
  metadata: Record<string, unknown>;
  createdAt: number;
  expiresAt?: number;
}

/** What was remembered by itself while `use` ran, under `triggers: {more}`. */
async function captured(
  bench: Bench,
  more: string,
  use: () => Promise<unknown>,
): Promise<Memory[]> {
  delete bench.sandbox.environment["HOLDFAST_TRIGGERS_ENABLED"];
  bench.configureDead(`triggers: {${more}}`);
  await bench.run("memory", "add", "so that there is a memory", "--no-trigger", "--wait", "0");
  const before = new Set((await commands(bench)).map(({ id }) => id));
  await use();
  return (await commands(bench)).filter(({ id }) => !before.has(id));
}

async function commands(bench: Bench): Promise<(Memory & { id: string })[]> {
  const { json } = await bench.run("memory", "list", "--tag", "command", "--no-trigger");
  return json.data.memories;
}

const list = (bench: Bench): Promise<unknown> => bench.sandbox.run(["memory", "list"]);

async function complain(bench: Bench): Promise<void> {
  const file = openSync(join(bench.folder, "stderr.txt"), "w");
  const script = "process.stderr.write('beginning and end'); process.exitCode = 1";
  spawnSync(process.execPath, [...NODE_OPTIONS, BIN, "run", "--", process.execPath, "-e", script], {
    cwd: bench.folder,
    env: bench.sandbox.environment,
    stdio: ["ignore", "ignore", file],
  });
  closeSync(file);
}

/** The lines that a coding agent is given at a prompt about tea. */
async function reminded(bench: Bench): Promise<string[]> {
  const input = JSON.stringify({ hook_event_name: "UserPromptSubmit", prompt: "which tea?" });
  const { stdout } = await bench.sandbox.run(["hook", "claude-code"], { input });
  if (stdout === "") return [];
  const { additionalContext } = JSON.parse(stdout).hookSpecificOutput;
  return additionalContext.split("\n").slice(1);
}
