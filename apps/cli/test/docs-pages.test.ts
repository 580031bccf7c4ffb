import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BIN, NODE_OPTIONS, Sandbox } from "./run-cli.ts";

interface Step {
  script: string;
  /** Stated by `<!-- status N -->` above the block. */
  status: number;
  /** The lines of the `text` block below it, each of which some line of the output begins with. */
  expected: string[];
}

let user: Sandbox;
beforeEach(() => {
  user = new Sandbox();
  const bin = join(user.folder, "bin");
  mkdirSync(bin);
  const words = [process.execPath, ...NODE_OPTIONS, BIN].map((word) => `'${word}'`);
  writeFileSync(join(bin, "holdfast"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
  chmodSync(join(bin, "holdfast"), 0o755);
  delete user.environment["HOLDFAST_EMBEDDER_PROVIDER"];
  user.environment["PATH"] = `${bin}:${user.environment["PATH"]}`;
});
afterEach(() => user.remove());

function stepsOf(page: string): Step[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
  const blocks = /(?:<!-- status (\d+) -->\n\n)?```sh\n([^]*?)```(?:\n\n```text\n([^]*?)```)?/g;
  return [...text.matchAll(blocks)].map(([, status, script = "", expected = ""]) => ({
    script,
    status: Number(status ?? 0),
    expected: expected.split("\n").filter((line) => line !== ""),
  }));
}

test.each([
  "../README.md",
  "run-in-production.md",
  "remember-every-command.md",
  "write-and-test-a-policy.md",
  "back-up-and-drill.md",
  "deploy-a-configuration.md",
  "move-from-the-python-cli.md",
  "protect-an-existing-chroma.md",
  "read-a-recovery-plan.md",
  "troubleshoot.md",
])(
  "every command of %s does what the page says, in an empty folder",
  (page) => {
    const folder = join(user.folder, "work");
    mkdirSync(folder);
    if (page === "remember-every-command.md") delete user.environment["HOLDFAST_TRIGGERS_ENABLED"];
    const steps = stepsOf(page);
    expect(steps.length).toBeGreaterThan(0);
    for (const { script, status, expected } of steps) {
      const run = spawnSync("sh", ["-ec", script], {
        cwd: folder,
        env: user.environment,
        encoding: "utf8",
      });
      const output = run.stdout + run.stderr;
      expect({ script, status: run.status, output }).toEqual({ script, status, output });
      const lines = output.split("\n");
      const missing = expected.filter((line) => !lines.some((each) => each.startsWith(line)));
      expect({ script, output, missing }).toEqual({ script, output, missing: [] });
    }
  },
  300_000,
);
