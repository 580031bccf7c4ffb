import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ensureStateDirectory } from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import { KernelLock, startTimeOf } from "@holdfast/sqlite";
import { until } from "@holdfast/testkit";
import { KeeperDatabase } from "../src/keeper/keeper-database.ts";
import { KeptServer } from "../src/monitor/kept-server.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "holdfast-kept-"))));
afterEach(() => rmSync(folder, { recursive: true }));

// The monitor ended with it, and nobody watched any more.
test("a look that fails is followed by another, which sees what has ended meanwhile", async () => {
  const dataDirectory = join(folder, "data");
  const { stateDirectory, keeperLock } = ensureStateDirectory(dataDirectory);
  using lock = KernelLock.tryAcquire(keeperLock);
  expect(lock).toBeDefined();
  const file = join(stateDirectory, "keeper.db");
  {
    using database = KeeperDatabase.open(stateDirectory);
    database.begin(process.pid, startTimeOf(process.pid));
    database.setPhase("ready", "all checks pass");
  }
  let looks = 0;
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => {
      looks += 1;
      return systemClock.sleep(Math.min(ms, 5), signal);
    },
  };
  const again = (): Promise<true> => {
    const from = looks;
    return until("another look", () => looks > from + 1);
  };
  using server = new KeptServer({ configFile: undefined, dataDirectory }, clock);
  const seen: string[] = [];
  server.onExit(({ how }) => seen.push(how));
  await again();
  renameSync(file, `${file}.away`);
  mkdirSync(file);
  await again();
  rmdirSync(file);
  renameSync(`${file}.away`, file);
  const exit = { at: Date.now(), upMs: 1, code: null, signal: "SIGKILL", ranMs: 900, ready: true };
  writeFileSync(join(stateDirectory, "exits.json"), JSON.stringify({ exits: [exit] }));
  await until("the exit", () => seen.length > 0);
  expect(seen).toEqual(["Chroma ended by SIGKILL"]);
});
