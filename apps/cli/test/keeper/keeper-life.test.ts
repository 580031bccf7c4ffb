import { closeSync, openSync, renameSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, jest, test } from "@jest/globals";
import { readServerRecord, statePathsOf } from "@holdfast/chroma";
import { isRunning } from "@holdfast/sqlite";
import { startFixture, until } from "@holdfast/testkit";
import { KeeperEndpoint } from "../../src/keeper-endpoint.ts";
import { stopKeeper } from "../../src/keeper/control-keeper.ts";
import { keeperStatus } from "../../src/keeper/keeper-status.ts";
import { Output } from "../../src/output.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(300_000);

const USER = new URL("fixtures/user.ts", import.meta.url);

test("many processes that need the store at once end with one keeper and one server", async () => {
  await using workspace = new KeeperWorkspace();
  const { configFile, dataDirectory } = workspace;
  const users = Array.from({ length: 4 }, () => startFixture(USER, [configFile, dataDirectory]));
  try {
    const endpoints = await Promise.all(users.map((user) => user.nextLine()));
    expect(new Set(endpoints).size).toBe(1);
    expect(keeperStatus(dataDirectory)).toMatchObject({ running: true, users: 4 });
  } finally {
    for (const user of users) await user.stop();
  }
});

test("the next keeper adopts the server that a killed one left", async () => {
  await using workspace = new KeeperWorkspace();
  const before = await (await workspace.ensure()).endpoint();
  const { pid } = keeperStatus(workspace.dataDirectory) ?? {};
  process.kill(pid as number, "SIGKILL");
  await until("the keeper's end", () => keeperStatus(workspace.dataDirectory)?.running === false);
  const after = await (await workspace.ensure()).endpoint();
  expect(after).toEqual(before);
  expect(keeperStatus(workspace.dataDirectory)?.pid).not.toBe(pid);
});

// Two keepers each ended the other's server, and one moved the data aside under the other.
test("a keeper whose state folder is moved away ends with its server, and leaves the next one alone", async () => {
  await using workspace = new KeeperWorkspace();
  const { dataDirectory } = workspace;
  await workspace.ensure();
  const pids = [keeperStatus(dataDirectory)?.pid, readServerRecord(dataDirectory)?.pid];
  const { stateDirectory } = statePathsOf(dataDirectory);
  renameSync(stateDirectory, `${stateDirectory}-away`);
  await until("their ends", () => pids.every((pid) => !isRunning(pid as number)));
  const use = await workspace.ensure();
  await use.endpoint();
  expect(keeperStatus(dataDirectory)).toMatchObject({ running: true, phase: "ready" });
});

test("stopping ends the server that a killed keeper left", async () => {
  await using workspace = new KeeperWorkspace();
  await workspace.ensure();
  const { pid } = readServerRecord(workspace.dataDirectory) ?? {};
  process.kill(keeperStatus(workspace.dataDirectory)?.pid as number, "SIGKILL");
  await expect(stopKeeper(workspace.dataDirectory)).resolves.toBe(true);
  expect(isRunning(pid as number)).toBe(false);
  await expect(stopKeeper(workspace.dataDirectory)).resolves.toBe(false);
});

test("a killed server comes back, on its own", async () => {
  await using workspace = new KeeperWorkspace();
  const use = await workspace.ensure();
  const { incarnation } = await use.endpoint();
  process.kill(readServerRecord(workspace.dataDirectory)?.pid as number, "SIGKILL");
  await until("another server", () => {
    const record = readServerRecord(workspace.dataDirectory);
    return record?.ready === true && record.incarnation !== incarnation;
  });
  await expect(use.endpoint()).resolves.not.toMatchObject({ incarnation });
});

test("a server that hangs is replaced", async () => {
  await using workspace = new KeeperWorkspace();
  const use = await workspace.ensure({ healthIntervalMs: 200 });
  const { incarnation } = await use.endpoint();
  const { pid } = readServerRecord(workspace.dataDirectory) ?? {};
  process.kill(pid as number, "SIGSTOP");
  await until("the end of the hung server", () => !isRunning(pid as number), 100_000);
  await until("another server", () => {
    const record = readServerRecord(workspace.dataDirectory);
    return record?.ready === true && record.pid !== pid;
  });
  await expect(use.endpoint()).resolves.not.toMatchObject({ incarnation });
});

test("when nobody uses it any more, server and keeper end, and the next user starts them", async () => {
  await using workspace = new KeeperWorkspace();
  const use = await workspace.ensure({ idleTimeoutMs: 300 });
  const { pid } = readServerRecord(workspace.dataDirectory) ?? {};
  const keeper = keeperStatus(workspace.dataDirectory)?.pid as number;
  expect(isRunning(keeper)).toBe(true);
  use.release();
  await until("the keeper's end", () => !isRunning(keeper));
  expect(isRunning(pid as number)).toBe(false);
  expect(readServerRecord(workspace.dataDirectory)).toBeUndefined();
  await expect((await workspace.ensure()).endpoint()).resolves.toBeDefined();
});

test("what the keeper drains was written by others", async () => {
  await using workspace = new KeeperWorkspace();
  await workspace.ensure();
  const { memory } = await workspace.open();
  const { durability } = await memory.add("to be drained", { waitMs: 0 });
  expect(durability).toBe("queued");
  await until("an empty outbox", () => memory.status().ledger.stored === 1);
});

test("a canary closes a breaker that opened while the store was away", async () => {
  await using workspace = new KeeperWorkspace();
  await workspace.ensure();
  const { breaker } = await workspace.open();
  const away = (): Promise<never> => Promise.reject(new Error("away"));
  for (const operation of ["ping", "read", "write"]) {
    for (let call = 0; call < 5; call += 1) {
      await expect(breaker.execute(away, { operation })).rejects.toThrow("away");
    }
    expect(breaker.state(operation)).toBe("open");
  }
  // By itself it would wait for 60 s; the canary need not.
  const isClosed = (): boolean =>
    ["ping", "read", "write"].every((operation) => breaker.state(operation) === "closed");
  await until("a closed breaker", isClosed, 30_000);
});

test("a stranger on the directory is named to whoever needs the store", async () => {
  await using workspace = new KeeperWorkspace();
  await workspace.ensure();
  await workspace.stop();
  const descriptor = openSync(join(workspace.dataDirectory, "chroma.sqlite3"), "a");
  const stranger = spawn("sleep", ["100"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  closeSync(descriptor);
  try {
    await expect(workspace.ensure()).rejects.toMatchObject({
      code: "SERVER_FOREIGN",
      message: expect.stringContaining(String(stranger.pid)) as unknown,
    });
  } finally {
    stranger.kill("SIGKILL");
  }
});

// Each server that went away meanwhile left one more user that was never let go.
test("a command is one user of the store, however often its server went away", async () => {
  await using workspace = new KeeperWorkspace();
  const { configFile, dataDirectory } = workspace;
  const quiet = { command: "test", json: false, quiet: true, verbose: false, colour: false };
  const again = { settings: [], workingDirectory: workspace.folder };
  const keeper = new KeeperEndpoint({ configFile, again, dataDirectory }, new Output(quiet));
  await keeper.endpoint();
  await stopKeeper(dataDirectory);
  await expect(keeper.endpoint()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await keeper.endpoint();
  expect(keeperStatus(dataDirectory)).toMatchObject({ running: true, users: 1 });
  await keeper.close();
  expect(keeperStatus(dataDirectory)).toMatchObject({ users: 0 });
});
