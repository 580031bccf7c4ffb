import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "@jest/globals";
import { ensureStateDirectory } from "@holdfast/chroma";
import { systemClock } from "@holdfast/core";
import { KernelLock, startTimeOf } from "@holdfast/sqlite";
import { stopKeeper } from "../../src/keeper/control-keeper.ts";
import { KeeperDatabase } from "../../src/keeper/keeper-database.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

// The command ended as unexpected: "kill ESRCH".
test("a keeper that ends by itself just before it is told to is stopped all the same", async () => {
  await using workspace = new KeeperWorkspace();
  const { dataDirectory } = workspace;
  const { stateDirectory, keeperLock } = ensureStateDirectory(dataDirectory);
  const lock = KernelLock.tryAcquire(keeperLock);
  const keeper = spawn("sleep", ["600"], { stdio: "ignore" });
  const { pid = 0 } = keeper;
  using database = KeeperDatabase.open(stateDirectory);
  database.begin(pid, startTimeOf(pid));
  const kill = process.kill.bind(process);
  process.kill = (to, signal) => {
    if (to !== pid || signal === 0) return kill(to, signal);
    throw Object.assign(new Error("kill ESRCH"), { code: "ESRCH" });
  };
  const clock = {
    ...systemClock,
    async sleep() {
      lock?.release();
      if (keeper.kill("SIGKILL")) await once(keeper, "close");
    },
  };
  try {
    await expect(stopKeeper(dataDirectory, clock)).resolves.toBe(true);
  } finally {
    process.kill = kill;
    keeper.kill("SIGKILL");
    lock?.release();
  }
});
