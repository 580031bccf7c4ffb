import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, jest, test } from "@jest/globals";
import { statePathsOf } from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import { KernelLock, startTimeOf } from "@holdfast/sqlite";
import { until } from "@holdfast/testkit";
import { ensureKeeper } from "../../src/keeper/ensure-keeper.ts";
import { KeeperDatabase } from "../../src/keeper/keeper-database.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

const HOUR_MS = 3_600_000;

afterEach(() => void jest.useRealTimers());

// It was taken for an earlier one: the command ended with the keeper's log, without code and hint.
test("a clock that is set back hides no failure of a keeper", async () => {
  await using workspace = new KeeperWorkspace();
  const { configFile, dataDirectory } = workspace;
  mkdirSync(dataDirectory);
  const descriptor = openSync(join(dataDirectory, "chroma.sqlite3"), "a");
  const stranger = spawn("sleep", ["600"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  closeSync(descriptor);
  const clock = { ...systemClock, now: () => Date.now() + HOUR_MS };
  const signal = AbortSignal.timeout(60_000);
  try {
    const ensured = ensureKeeper({ configFile, dataDirectory, signal }, clock);
    await expect(ensured).rejects.toMatchObject({ code: "SERVER_FOREIGN" });
  } finally {
    stranger.kill("SIGKILL");
  }
});

// A monitor gave up for good at the first keeper that was killed while it started.
test("a keeper that is killed while it starts may be tried again", async () => {
  await using workspace = new KeeperWorkspace();
  const ensured = workspace.ensure().catch((error: unknown) => error);
  let keeper = 0;
  await until("the keeper's process", () => {
    const found = spawnSync("pgrep", ["-P", `${process.pid}`, "-f", workspace.dataDirectory]);
    keeper = Number(found.stdout.toString().trim());
    return keeper > 0;
  });
  process.kill(keeper, "SIGKILL");
  expect(await ensured).toMatchObject({ code: "KEEPER_FAILED", retryable: true });
});

/** This process plays keeper and server. */
function serve(dataDirectory: string): Disposable & { stateDirectory: string } {
  const { stateDirectory, keeperLock, serverRecord } = statePathsOf(dataDirectory);
  mkdirSync(stateDirectory, { recursive: true });
  const lock = KernelLock.tryAcquire(keeperLock);
  using database = KeeperDatabase.open(stateDirectory);
  database.begin(process.pid, startTimeOf(process.pid));
  database.setPhase("ready", "all checks pass");
  const build = { name: "chroma", version: "1.0.0" };
  const { pid } = process;
  const where = { host: "127.0.0.1", port: 1, build, incarnation: "i" };
  const since = { startedAt: Date.now(), startedUpMs: systemClock.monotonic() };
  const record = { pid, processStart: startTimeOf(pid), ...where, ...since, ready: true };
  writeFileSync(serverRecord, JSON.stringify(record));
  return {
    stateDirectory,
    [Symbol.dispose]: () => {
      using ended = KeeperDatabase.open(stateDirectory);
      ended.end();
      // Or this process would be ended as the server that is left here.
      rmSync(serverRecord);
      lock?.release();
    },
  };
}

// The error of a timer, which nobody can catch, ended the command or the monitor.
test("a use that cannot be renewed this moment ends nobody, and is renewed the next time", async () => {
  await using workspace = new KeeperWorkspace();
  const { dataDirectory } = workspace;
  using served = serve(dataDirectory);
  jest.useFakeTimers({ doNotFake: ["hrtime", "performance", "Date"] });
  using use = await ensureKeeper({ configFile: workspace.configFile, dataDirectory });
  await expect(use.endpoint()).resolves.toMatchObject({ incarnation: "i" });
  using database = new DatabaseSync(join(served.stateDirectory, "keeper.db"));
  const expiry = (): number =>
    (database.prepare("SELECT expires_at AS at FROM user").get() as { at: number }).at;
  const before = expiry();
  database.exec("BEGIN IMMEDIATE");
  jest.advanceTimersByTime(15_000);
  database.exec("ROLLBACK");
  jest.advanceTimersByTime(10_000);
  jest.useRealTimers();
  expect(expiry()).toBeGreaterThan(before);
});
