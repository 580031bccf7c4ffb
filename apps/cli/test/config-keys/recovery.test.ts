import { expect, jest, test } from "@jest/globals";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "@holdfast/config";
import { RESTART_DEFAULTS } from "@holdfast/recovery";
import { restartOptions } from "../../src/health-options.ts";
import { keeperLogFile } from "../../src/keeper/keeper-log.ts";
import { type Bench, keyTests } from "./key-tests.ts";
import { look } from "./monitor-bench.ts";

jest.setTimeout(120_000);

/** A managed server that never starts: why it was given up. */
async function whyGivenUp(bench: Bench, recovery: string): Promise<string> {
  const fixture = new URL("../fixtures/chroma-that-tells.mjs", import.meta.url).pathname;
  bench.configure(
    [
      "vector_store:",
      `  config: {persist_directory: data, command: ["${process.execPath}", "${fixture}"]}`,
      `recovery: {${recovery}}`,
    ].join("\n"),
  );
  const { json } = await bench.run("server", "start");
  expect(json.error.message).toContain("did not start: exit code 0");
  return readFileSync(keeperLogFile(join(bench.folder, "data.holdfast")), "utf8");
}

/** What is decided about a server elsewhere that nobody answers for. */
async function elsewhere(bench: Bench, recovery: string): Promise<void> {
  bench.configureDead(`recovery: {${recovery}}`);
  await look(bench);
}

const touch = (bench: Bench): string => `restart_command: [touch, "${join(bench.folder, "done")}"]`;

keyTests("recovery", {
  attempts_max: async (bench) => {
    const log = await whyGivenUp(bench, "attempts_max: 2, backoff_max: 0");
    expect(log).toContain("2 attempts within 600 s did not help");
    expect(log.match(/"decision":{"action":"(restart|recover)"/g)).toHaveLength(2);
  },
  attempts_window: async (bench) => {
    const log = await whyGivenUp(bench, "attempts_window: 90, attempts_max: 1, backoff_max: 0");
    expect(log).toContain("1 attempts within 90 s did not help");
  },
  backoff_max: async (bench) => {
    const log = await whyGivenUp(bench, "backoff_max: 0, attempts_max: 3");
    const waits = [...log.matchAll(/"waitMs":(\d+)/g)].map(([, ms]) => Number(ms));
    expect(waits.length).toBeGreaterThan(2);
    expect(new Set(waits)).toEqual(new Set([0]));
  },
  risk_max: async (bench) => {
    const done = join(bench.folder, "done");
    await elsewhere(bench, `risk_max: none, ${touch(bench)}`);
    expect(existsSync(done)).toBe(false);
    await elsewhere(bench, `risk_max: low, ${touch(bench)}`);
    expect(existsSync(done)).toBe(true);
  },
  restart_command: async (bench) => {
    await elsewhere(bench, touch(bench));
    expect(existsSync(join(bench.folder, "done"))).toBe(true);
  },
  restart_unit: async (bench) => {
    const bin = join(bench.folder, "bin");
    mkdirSync(bin);
    const log = join(bench.folder, "calls");
    writeFileSync(join(bin, "systemctl"), `#!/bin/sh\necho "$@" >> "${log}"\n`);
    chmodSync(join(bin, "systemctl"), 0o755);
    bench.sandbox.environment["PATH"] = `${bin}:${bench.sandbox.environment["PATH"]}`;
    await elsewhere(bench, "restart_unit: chroma.service");
    expect(readFileSync(log, "utf8")).toContain("restart -- chroma.service");
  },
});

test("the defaults are the restart policy's own", () => {
  const { config } = parseConfig("", { file: "/x/holdfast.yaml", environment: {} });
  const { attemptsMax, windowMs, backoff } = RESTART_DEFAULTS;
  expect(restartOptions(config)).toEqual({ attemptsMax, windowMs, backoff });
});
