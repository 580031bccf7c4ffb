import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  managedEndpoint,
  ManagedServer,
  readServerRecord,
  type ServerExit,
  statePathsOf,
} from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import { FAKE, isAlive, ServerBench } from "./server-bench.ts";

let bench: ServerBench;
beforeEach(() => void (bench = new ServerBench()));
afterEach(() => bench[Symbol.asyncDispose]());

test("starts on loopback, says where, and stops without a trace", async () => {
  const server = bench.fake("well");
  const { pid, port, incarnation, build } = await server.start();
  expect(await managedEndpoint(bench.data)()).toEqual({ host: "127.0.0.1", port, incarnation });
  expect(build.version).toBe("1.4.4");
  expect(readFileSync(statePathsOf(bench.data).serverConfig, "utf8")).toContain(
    'listen_address: "127.0.0.1"',
  );
  const { stateDirectory, serverRecord } = statePathsOf(bench.data);
  expect(statSync(stateDirectory).mode & 0o777).toBe(0o700);
  expect(statSync(serverRecord).mode & 0o777).toBe(0o600);
  await server.stop();
  expect(isAlive(pid)).toBe(false);
  expect(readServerRecord(bench.data)).toBeUndefined();
  await expect(managedEndpoint(bench.data)()).rejects.toMatchObject({ code: "SERVER_NOT_RUNNING" });
});

test.each([
  // What a new database does by itself needs no second start.
  [false, ["Chroma started"]],
  [true, ["Chroma started", "Chroma stopped", "Chroma started"]],
])("a new directory with keepReplayable %p", async (keepReplayable, expected) => {
  const said: string[] = [];
  const say = (_: object, message: string): number => said.push(message);
  const server = new ManagedServer(
    {
      dataDirectory: bench.data,
      command: [process.execPath, FAKE, "well", "1.4.4"],
      keepReplayable,
    },
    { logger: { info: say, warn: say } },
  );
  bench.keep(server);
  await server.start();
  expect(said).toEqual(expected);
});

test("a crash is told at once, with the signal", async () => {
  const server = bench.fake("well");
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
    const server = bench.fake("well", undefined, {}, clock);
    await server.start();
    const own = await ranMsOf(server);
    await server.start();
    server.release();
    const adopter = bench.fake("well", undefined, {}, clock);
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
    { dataDirectory: bench.data, command: [process.execPath, FAKE, "well", "1.4.4"] },
    { logger: { info: say, warn: say } },
  );
  bench.keep(server);
  const { pid } = await server.start();
  mkdirSync(join(statePathsOf(bench.data).stateDirectory, "exits.json"));
  const crashed = new Promise<ServerExit>((resolve) => void server.onCrash(resolve));
  process.kill(pid, "SIGKILL");
  await expect(crashed).resolves.toMatchObject({ pid, signal: "SIGKILL" });
  expect(said).toContain("the end of Chroma could not be kept");
});

test("a stop is no crash", async () => {
  const server = bench.fake("well");
  await server.start();
  const crashes: ServerExit[] = [];
  server.onCrash((exit) => crashes.push(exit));
  await server.stop();
  expect(crashes).toEqual([]);
});

test("a healthy server that its keeper left is adopted, and its end is noticed", async () => {
  const first = bench.fake("well");
  const { pid, incarnation } = await first.start();
  first.release();
  const second = bench.fake("well");
  const adopted = await second.start();
  expect(adopted).toMatchObject({ pid, incarnation, adopted: true });
  const crashed = new Promise<ServerExit>((resolve) => void second.onCrash(resolve));
  process.kill(pid, "SIGKILL");
  await expect(crashed).resolves.toMatchObject({ pid });
});

test("a stopped server that a dead keeper left is ended, not adopted", async () => {
  const first = bench.fake("well");
  const { pid } = await first.start();
  first.release();
  process.kill(pid, "SIGSTOP");
  const second = await bench.fake("well").start();
  expect(second.pid).not.toBe(pid);
  expect(isAlive(pid)).toBe(false);
});

test("eviction ends what a dead keeper left", async () => {
  const first = bench.fake("well");
  const { pid } = await first.start();
  first.release();
  await expect(bench.fake("well").evict()).resolves.toBe(true);
  expect(isAlive(pid)).toBe(false);
  await expect(bench.fake("well").evict()).resolves.toBe(false);
});
