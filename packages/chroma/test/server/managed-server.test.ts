import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  managedEndpoint,
  ManagedServer,
  type ManagedServerOptions,
  readServerRecord,
  ServerError,
  type ServerExit,
  type StatePaths,
  statePathsOf,
} from "@holdfast/chroma";
import { type Clock, systemClock } from "@holdfast/core";
import { isRunning } from "@holdfast/sqlite";

const FAKE = fileURLToPath(new URL("fixtures/fake-chroma.ts", import.meta.url));

let scratch: string;
let data: string;
const servers: ManagedServer[] = [];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "holdfast-server-"));
  data = join(scratch, "data");
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function fake(
  behaviour: string,
  version = "1.4.4",
  options: Partial<ManagedServerOptions> = {},
  clock: Clock = systemClock,
): ManagedServer {
  const command = [process.execPath, FAKE, behaviour, version];
  const server = new ManagedServer(
    { dataDirectory: data, command, stopTimeoutMs: 200, lockWaitMs: 0, ...options },
    { clock },
  );
  servers.push(server);
  return server;
}

const isAlive = (pid: number | undefined): boolean => pid !== undefined && isRunning(pid);

async function failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  return promise.then(
    () => {
      throw new Error("It did not fail");
    },
    (error: Record<string, unknown>) => error,
  );
}

test("starts on loopback, says where, and stops without a trace", async () => {
  const server = fake("well");
  const { pid, port, incarnation, build } = await server.start();
  expect(await managedEndpoint(data)()).toEqual({ host: "127.0.0.1", port, incarnation });
  expect(build.version).toBe("1.4.4");
  expect(readFileSync(statePathsOf(data).serverConfig, "utf8")).toContain(
    'listen_address: "127.0.0.1"',
  );
  const { stateDirectory, serverRecord } = statePathsOf(data);
  expect(statSync(stateDirectory).mode & 0o777).toBe(0o700);
  expect(statSync(serverRecord).mode & 0o777).toBe(0o600);
  await server.stop();
  expect(isAlive(pid)).toBe(false);
  expect(readServerRecord(data)).toBeUndefined();
  await expect(managedEndpoint(data)()).rejects.toMatchObject({ code: "SERVER_NOT_RUNNING" });
});

test.each([
  // What a new database does by itself needs no second start.
  [false, ["Chroma started"]],
  [true, ["Chroma started", "Chroma stopped", "Chroma started"]],
])("a new directory with keepReplayable %p", async (keepReplayable, expected) => {
  const said: string[] = [];
  const say = (_: object, message: string): number => said.push(message);
  const server = new ManagedServer(
    { dataDirectory: data, command: [process.execPath, FAKE, "well", "1.4.4"], keepReplayable },
    { logger: { info: say, warn: say } },
  );
  servers.push(server);
  await server.start();
  expect(said).toEqual(expected);
});

test("a second manager is refused while the first holds the directory", async () => {
  await fake("well").start();
  await expect(fake("well").start()).rejects.toMatchObject({ code: "SERVER_LOCKED" });
});

test("a claim that fails keeps nobody else out", async () => {
  const { stateDirectory } = statePathsOf(data);
  mkdirSync(stateDirectory);
  const swap = join(stateDirectory, "swap.json");
  writeFileSync(swap, "{}");
  // Held by this one, which cannot finish what a repair had begun.
  await expect(fake("well").start()).rejects.toMatchObject({ code: "SERVER_STATE_INVALID" });
  rmSync(swap);
  expect((await fake("well").start()).adopted).toBe(false);
});

test.each([
  ["its log", (paths: StatePaths) => paths.serverLog],
  ["its configuration", (paths: StatePaths) => paths.serverConfig],
])("a start that cannot write %s says what, where and what to do", async (_, fileOf) => {
  const paths = statePathsOf(data);
  const file = fileOf(paths);
  // As a disk that is full or read-only, which a test cannot have everywhere.
  mkdirSync(file, { recursive: true });
  const error = await failure(fake("well").start());
  expect(error).toBeInstanceOf(ServerError);
  expect(error).toMatchObject({
    code: "SERVER_START_FAILED",
    message: expect.stringContaining(file),
    hint: expect.stringContaining("holdfast server start"),
  });
  expect(error["message"]).toContain("EISDIR");
  rmSync(file, { recursive: true });
  expect((await fake("well").start()).adopted).toBe(false);
});

test("why a start failed is told though its end cannot be kept", async () => {
  mkdirSync(join(statePathsOf(data).stateDirectory, "exits.json"), { recursive: true });
  const error = await failure(fake("exit-0").start());
  expect(error).toMatchObject({ code: "SERVER_START_FAILED" });
  expect(error["message"]).toContain("exit code 0");
});

test.each([
  ["the state directory", () => `${data}.holdfast`],
  ["the data directory", () => data],
])("a file where %s belongs is told as that", async (_, pathOf) => {
  writeFileSync(pathOf(), "in the way");
  const error = await failure(fake("well").start());
  expect(error).toBeInstanceOf(ServerError);
  expect(error).toMatchObject({ message: expect.stringContaining(pathOf()) });
});

test("a heartbeat alone is not ready, and nothing is left of the attempt", async () => {
  const error = await failure(fake("heartbeat-only", "1.4.4", { startTimeoutMs: 400 }).start());
  expect(error).toMatchObject({ code: "SERVER_START_FAILED" });
  expect(isAlive(error["pid"] as number)).toBe(false);
  expect(readServerRecord(data)).toBeUndefined();
});

test("a server that never listens is given up and killed", async () => {
  const error = await failure(fake("hang", "1.4.4", { startTimeoutMs: 300 }).start());
  expect(error).toMatchObject({ code: "SERVER_START_FAILED" });
  expect(isAlive(error["pid"] as number)).toBe(false);
});

test("an exit with code 0 before the first answer is a failure", async () => {
  await expect(fake("exit-0").start()).rejects.toMatchObject({
    code: "SERVER_START_FAILED",
    message: expect.stringContaining("exit code 0") as unknown,
  });
});

test("another port is tried when the chosen one was taken meanwhile", async () => {
  const server = fake("port-taken-once");
  await expect(server.start()).resolves.toMatchObject({ host: "127.0.0.1" });
});

test("a server that ignores its stop signals is killed", async () => {
  const server = fake("stubborn");
  const { pid } = await server.start();
  await server.stop();
  expect(isAlive(pid)).toBe(false);
});

test("an abort while starting ends the process and frees the directory", async () => {
  const stop = new AbortController();
  const starting = fake("hang").start(stop.signal);
  const waited = setInterval(() => {
    if (readServerRecord(data) !== undefined) stop.abort(new Error("enough"));
  }, 10);
  await expect(starting).rejects.toThrow("enough");
  clearInterval(waited);
  expect(readServerRecord(data)).toBeUndefined();
  await expect(fake("well").start()).resolves.toBeDefined();
});

test("a crash is told at once, with the signal", async () => {
  const server = fake("well");
  const { pid, incarnation } = await server.start();
  const crashed = new Promise<ServerExit>((resolve) => void server.onCrash(resolve));
  process.kill(pid, "SIGKILL");
  await expect(crashed).resolves.toMatchObject({ pid, incarnation, signal: "SIGKILL" });
  expect(server.running).toBeUndefined();
  const again = await server.start();
  expect(again.incarnation).not.toBe(incarnation);
});

test.each([86_400_000, -86_400_000])(
  "how long it ran is told right when the clock jumps by %i ms",
  async (jumpMs) => {
    let shiftMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + shiftMs };
    const ranMsOf = async (server: ManagedServer): Promise<number> => {
      const crashed = new Promise<ServerExit>((resolve) => void server.onCrash(resolve));
      shiftMs = jumpMs;
      process.kill(server.running?.pid as number, "SIGKILL");
      const { ranMs } = await crashed;
      shiftMs = 0;
      return ranMs;
    };
    const server = fake("well", undefined, {}, clock);
    await server.start();
    const own = await ranMsOf(server);
    await server.start();
    server.release();
    const adopter = fake("well", undefined, {}, clock);
    await expect(adopter.start()).resolves.toMatchObject({ adopted: true });
    for (const ranMs of [own, await ranMsOf(adopter)]) {
      expect(ranMs).toBeGreaterThan(0);
      expect(ranMs).toBeLessThan(600_000);
    }
  },
);

test("a crash is told although its end cannot be kept, as on a full disk", async () => {
  const said: string[] = [];
  const say = (_: object, message: string): number => said.push(message);
  const server = new ManagedServer(
    { dataDirectory: data, command: [process.execPath, FAKE, "well", "1.4.4"] },
    { logger: { info: say, warn: say } },
  );
  servers.push(server);
  const { pid } = await server.start();
  mkdirSync(join(statePathsOf(data).stateDirectory, "exits.json"));
  const crashed = new Promise<ServerExit>((resolve) => void server.onCrash(resolve));
  process.kill(pid, "SIGKILL");
  await expect(crashed).resolves.toMatchObject({ pid, signal: "SIGKILL" });
  expect(said).toContain("the end of Chroma could not be kept");
});

test("a stop is no crash", async () => {
  const server = fake("well");
  await server.start();
  const crashes: ServerExit[] = [];
  server.onCrash((exit) => crashes.push(exit));
  await server.stop();
  expect(crashes).toEqual([]);
});

test("a healthy server that its keeper left is adopted, and its end is noticed", async () => {
  const first = fake("well");
  const { pid, incarnation } = await first.start();
  first.release();
  const second = fake("well");
  const adopted = await second.start();
  expect(adopted).toMatchObject({ pid, incarnation, adopted: true });
  const crashed = new Promise<ServerExit>((resolve) => void second.onCrash(resolve));
  process.kill(pid, "SIGKILL");
  await expect(crashed).resolves.toMatchObject({ pid });
});

test("a stopped server that a dead keeper left is ended, not adopted", async () => {
  const first = fake("well");
  const { pid } = await first.start();
  first.release();
  process.kill(pid, "SIGSTOP");
  const second = await fake("well").start();
  expect(second.pid).not.toBe(pid);
  expect(isAlive(pid)).toBe(false);
}, 60_000);

test("eviction ends what a dead keeper left", async () => {
  const first = fake("well");
  const { pid } = await first.start();
  first.release();
  await expect(fake("well").evict()).resolves.toBe(true);
  expect(isAlive(pid)).toBe(false);
  await expect(fake("well").evict()).resolves.toBe(false);
});

test("an older build is refused on a directory that a newer one has opened", async () => {
  const newer = fake("well", "1.4.4");
  await newer.start();
  await newer.stop();
  await expect(fake("well", "1.0.0").start()).rejects.toMatchObject({ code: "SERVER_DOWNGRADE" });
  await expect(fake("well", "1.10.0").start()).resolves.toBeDefined();
});

test("a build that failed to start counts as having opened the directory", async () => {
  await failure(fake("crash", "1.4.4").start());
  await expect(fake("well", "1.0.0").start()).rejects.toMatchObject({ code: "SERVER_DOWNGRADE" });
});

test("a stranger that has the database open for writing is named, and no server started", async () => {
  const server = fake("well");
  await server.start();
  await server.stop();
  const descriptor = openSync(join(data, "chroma.sqlite3"), "a");
  const stranger = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  closeSync(descriptor);
  try {
    // Only Linux says who has a file open.
    const expected =
      process.platform === "linux"
        ? { refused: "SERVER_FOREIGN", pid: stranger.pid }
        : { refused: undefined, pid: undefined };
    const seen = await fake("well")
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
  const server = fake("well");
  const { serverRecord } = server.claim();
  writeFileSync(serverRecord, "{]");
  await expect(server.start()).rejects.toMatchObject({ code: "SERVER_STATE_INVALID" });
});

test("a command that cannot run is told with its reason", async () => {
  const server = fake("well", "1.4.4", { command: [join(scratch, "absent")] });
  await expect(server.start()).rejects.toMatchObject({ code: "SERVER_UNSUPPORTED" });
});
