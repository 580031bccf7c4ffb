import { expect, jest, test } from "@jest/globals";
import { managedEndpoint, readServerRecord } from "@holdfast/chroma";
import { systemClock, systemRandom } from "@holdfast/core";
import { RecoveryJournal } from "@holdfast/recovery";
import { isRunning } from "@holdfast/sqlite";
import { until } from "@holdfast/testkit";
import { Keeper } from "../../src/keeper/keeper.ts";
import { KeeperDatabase } from "../../src/keeper/keeper-database.ts";
import { KeeperMetrics } from "../../src/keeper/keeper-metrics.ts";
import { repairPorts } from "../../src/recovery/store-recovery.ts";
import { recoveryFileOf } from "../../src/workspace.ts";
import { KeeperWorkspace } from "./keeper-workspace.ts";

// A real Chroma, on a machine that may be busy: how long it takes is not what is tested.
jest.setTimeout(300_000);

/** As on a disk that is full by the time that the keeper stops. */
function unwritableWhenStopping(database: KeeperDatabase): KeeperDatabase {
  const setPhase: KeeperDatabase["setPhase"] = (phase, detail) => {
    if (phase === "stopping") throw new Error("the disk is full");
    database.setPhase(phase, detail);
  };
  return new Proxy(database, {
    get(target, key): unknown {
      if (key === "setPhase") return setPhase;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

// It went without its server, which nobody looked after any more.
test("a keeper that cannot write down that it stops ends its server all the same", async () => {
  await using workspace = new KeeperWorkspace();
  const { dataDirectory } = workspace;
  const parts = await workspace.open();
  using database = KeeperDatabase.open(parts.workspace.stateDirectory);
  using journal = RecoveryJournal.open(recoveryFileOf(parts.workspace));
  const log = (): void => undefined;
  const access = { readSecret: () => "", endpoint: managedEndpoint(dataDirectory) };
  const keeper = new Keeper(
    { server: { dataDirectory } },
    {
      ...parts,
      database: unwritableWhenStopping(database),
      journal,
      metrics: new KeeperMetrics(parts.metrics, systemClock),
      logger: { info: log, warn: log, error: log },
      clock: systemClock,
      random: systemRandom,
      recovery: repairPorts(parts, access),
    },
  );
  const stopping = new AbortController();
  const ended = keeper.run(stopping.signal).catch((error: unknown) => error);
  await until("the server", () => database.read().phase === "ready");
  const { pid = 0 } = readServerRecord(dataDirectory) ?? {};
  expect(isRunning(pid)).toBe(true);
  stopping.abort();
  expect(await ended).toMatchObject({ message: "the disk is full" });
  // Else whoever ends what is left here would take this process for the keeper, and end it.
  database.end();
  expect(isRunning(pid)).toBe(false);
});
