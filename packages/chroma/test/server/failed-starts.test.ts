import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readServerRecord, ServerError, type StatePaths, statePathsOf } from "@holdfast/chroma";
import { isAlive, ServerBench } from "./server-bench.ts";

let bench: ServerBench;
beforeEach(() => void (bench = new ServerBench()));
afterEach(() => bench[Symbol.asyncDispose]());

test("a second manager is refused while the first holds the directory", async () => {
  await bench.fake("well").start();
  await expect(bench.fake("well").start()).rejects.toMatchObject({ code: "SERVER_LOCKED" });
});

test("a claim that fails keeps nobody else out", async () => {
  const { stateDirectory } = statePathsOf(bench.data);
  mkdirSync(stateDirectory);
  const swap = join(stateDirectory, "swap.json");
  writeFileSync(swap, "{}");
  // Held by this one, which cannot finish what a repair had begun.
  await expect(bench.fake("well").start()).rejects.toMatchObject({ code: "SERVER_STATE_INVALID" });
  rmSync(swap);
  expect((await bench.fake("well").start()).adopted).toBe(false);
});

test.each([
  ["its log", (paths: StatePaths) => paths.serverLog],
  ["its configuration", (paths: StatePaths) => paths.serverConfig],
])("a start that cannot write %s says what, where and what to do", async (_, fileOf) => {
  const paths = statePathsOf(bench.data);
  const file = fileOf(paths);
  // As a disk that is full or read-only, which a test cannot have everywhere.
  mkdirSync(file, { recursive: true });
  const error = await failure(bench.fake("well").start());
  expect(error).toBeInstanceOf(ServerError);
  expect(error).toMatchObject({
    code: "SERVER_START_FAILED",
    message: expect.stringContaining(file),
    hint: expect.stringContaining("holdfast server start"),
  });
  expect(error["message"]).toContain("EISDIR");
  rmSync(file, { recursive: true });
  expect((await bench.fake("well").start()).adopted).toBe(false);
});

test("why a start failed is told though its end cannot be kept", async () => {
  mkdirSync(join(statePathsOf(bench.data).stateDirectory, "exits.json"), { recursive: true });
  const error = await failure(bench.fake("exit-0").start());
  expect(error).toMatchObject({ code: "SERVER_START_FAILED" });
  expect(error["message"]).toContain("exit code 0");
});

test.each([
  ["the state directory", () => `${bench.data}.holdfast`],
  ["the data directory", () => bench.data],
])("a file where %s belongs is told as that", async (_, pathOf) => {
  writeFileSync(pathOf(), "in the way");
  const error = await failure(bench.fake("well").start());
  expect(error).toBeInstanceOf(ServerError);
  expect(error).toMatchObject({ message: expect.stringContaining(pathOf()) });
});

test("a heartbeat alone is not ready, and nothing is left of the attempt", async () => {
  const error = await failure(
    bench.fake("heartbeat-only", "1.4.4", { startTimeoutMs: 400 }).start(),
  );
  expect(error).toMatchObject({ code: "SERVER_START_FAILED" });
  expect(isAlive(error["pid"] as number)).toBe(false);
  expect(readServerRecord(bench.data)).toBeUndefined();
});

test("a server that never listens is given up and killed", async () => {
  const error = await failure(bench.fake("hang", "1.4.4", { startTimeoutMs: 300 }).start());
  expect(error).toMatchObject({ code: "SERVER_START_FAILED" });
  expect(isAlive(error["pid"] as number)).toBe(false);
});

test("an exit with code 0 before the first answer is a failure", async () => {
  await expect(bench.fake("exit-0").start()).rejects.toMatchObject({
    code: "SERVER_START_FAILED",
    message: expect.stringContaining("exit code 0") as unknown,
  });
});

test("another port is tried when the chosen one was taken meanwhile", async () => {
  const server = bench.fake("port-taken-once");
  await expect(server.start()).resolves.toMatchObject({ host: "127.0.0.1" });
});

test("a server that ignores its stop signals is killed", async () => {
  const server = bench.fake("stubborn");
  const { pid } = await server.start();
  await server.stop();
  expect(isAlive(pid)).toBe(false);
});

test("an abort while starting ends the process and frees the directory", async () => {
  const stop = new AbortController();
  const starting = bench.fake("hang").start(stop.signal);
  const waited = setInterval(() => {
    if (readServerRecord(bench.data) !== undefined) stop.abort(new Error("enough"));
  }, 10);
  await expect(starting).rejects.toThrow("enough");
  clearInterval(waited);
  expect(readServerRecord(bench.data)).toBeUndefined();
  await expect(bench.fake("well").start()).resolves.toBeDefined();
});

test("an older build is refused on a directory that a newer one has opened", async () => {
  const newer = bench.fake("well", "1.4.4");
  await newer.start();
  await newer.stop();
  await expect(bench.fake("well", "1.0.0").start()).rejects.toMatchObject({
    code: "SERVER_DOWNGRADE",
  });
  await expect(bench.fake("well", "1.10.0").start()).resolves.toBeDefined();
});

test("a build that failed to start counts as having opened the directory", async () => {
  await failure(bench.fake("crash", "1.4.4").start());
  await expect(bench.fake("well", "1.0.0").start()).rejects.toMatchObject({
    code: "SERVER_DOWNGRADE",
  });
});

test("a stranger that has the database open for writing is named, and no server started", async () => {
  const server = bench.fake("well");
  await server.start();
  await server.stop();
  const descriptor = openSync(join(bench.data, "chroma.sqlite3"), "a");
  const stranger = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  closeSync(descriptor);
  try {
    // Only Linux says who has a file open.
    const expected =
      process.platform === "linux"
        ? { refused: "SERVER_FOREIGN", pid: stranger.pid }
        : { refused: undefined, pid: undefined };
    const seen = await bench
      .fake("well")
      .start()
      .then(
        () => ({ refused: undefined, pid: undefined }),
        (error: ServerError) => ({ refused: error.code, pid: error.pid }),
      );
    expect(seen).toEqual(expected);
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("a record that is not one is named, and nothing is started", async () => {
  const server = bench.fake("well");
  const { serverRecord } = server.claim();
  writeFileSync(serverRecord, "{]");
  await expect(server.start()).rejects.toMatchObject({ code: "SERVER_STATE_INVALID" });
});

test("a command that cannot run is told with its reason", async () => {
  const server = bench.fake("well", "1.4.4", { command: [join(bench.scratch, "absent")] });
  await expect(server.start()).rejects.toMatchObject({ code: "SERVER_UNSUPPORTED" });
});

async function failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  return promise.then(
    () => {
      throw new Error("It did not fail");
    },
    (error: Record<string, unknown>) => error,
  );
}
