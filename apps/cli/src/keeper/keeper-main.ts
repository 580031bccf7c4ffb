/** The keeper's process: `node keeper-main JSON`, see keeper-arguments.ts. Detached, silent. */
import { loadConfig } from "@holdfast/config";
import { ensureStateDirectory, ServerError } from "@holdfast/chroma";
import { durationMs, systemClock, systemRandom } from "@holdfast/core";
import { RecoveryJournal } from "@holdfast/recovery";
import { healthOptions, restartOptions } from "../health-options.ts";
import { managedServerOptions } from "../managed-server-options.ts";
import { repairPorts } from "../recovery/store-recovery.ts";
import { userDataDirectory } from "../user-directories.ts";
import { storeAccess } from "../store-access.ts";
import { wire } from "../wire.ts";
import { recoveryFileOf, workspaceOf } from "../workspace.ts";
import { Keeper } from "./keeper.ts";
import type { KeeperArguments } from "./keeper-arguments.ts";
import { KeeperDatabase } from "./keeper-database.ts";
import { keeperLogFile, openLog } from "./keeper-log.ts";
import { KeeperMetrics } from "./keeper-metrics.ts";

const LOCK_WAIT_MS = 300;

await main(JSON.parse(process.argv[2] ?? "{}") as KeeperArguments);

async function main(given: KeeperArguments): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(name, () => stopping.abort(new Error(`ended by ${name}`)));
  }
  const workspace = workspaceOf(
    loadConfig({
      file: given.configFile,
      // Without a file these are the built-in defaults, whichever other file is named by now.
      environment: given.fileAlone
        ? {}
        : { ...process.env, HOLDFAST_CONFIG: undefined, HOLDFAST_ENV: undefined },
      settings: given.again?.settings ?? [],
      workingDirectory: given.again?.workingDirectory ?? given.dataDirectory,
      // Nor whatever lies above the data.
      search: false,
      userDataDirectory: userDataDirectory(),
    }),
  );
  const { dataDirectory, config } = workspace;
  if (dataDirectory === undefined) throw new TypeError("Only a managed store has a keeper");
  const { stateDirectory } = ensureStateDirectory(dataDirectory);
  const { logger, rotate } = openLog(keeperLogFile(stateDirectory), "keeper");
  const { anonymized_telemetry } = config.vector_store.config;
  // Chroma's own name for it; the server inherits it, and builds without telemetry ignore it.
  process.env["ANONYMIZED_TELEMETRY"] = anonymized_telemetry ? "True" : "False";
  const idleTimeoutMs = given.idleTimeoutMs ?? durationMs(config.keeper.idle_timeout);
  using database = KeeperDatabase.open(stateDirectory);
  using journal = RecoveryJournal.open(recoveryFileOf(workspace));
  const access = storeAccess(workspace, process.env);
  const parts = await wire(workspace, { ...access, background: false });
  try {
    const keeper = new Keeper(
      {
        server: {
          ...managedServerOptions(workspace),
          dataDirectory,
          orphanMs: idleTimeoutMs,
          // Whoever finds another keeper is not needed, and must not succeed one that was stopped.
          lockWaitMs: LOCK_WAIT_MS,
        },
        idleTimeoutMs,
        health: {
          ...healthOptions(config),
          ...(given.healthIntervalMs === undefined ? {} : { intervalMs: given.healthIntervalMs }),
        },
        restart: restartOptions(config),
        riskMax: config.recovery.risk_max,
      },
      {
        ...parts,
        database,
        journal,
        metrics: new KeeperMetrics(parts.metrics, systemClock),
        logger,
        rotateLog: rotate,
        clock: systemClock,
        random: systemRandom,
        recovery: repairPorts(parts, access),
      },
    );
    await keeper.run(stopping.signal);
  } catch (error) {
    // Another keeper was first: that is what we were started for.
    if (!(error instanceof ServerError) || error.code !== "SERVER_LOCKED") throw error;
    logger.info({}, "another keeper has the directory");
  } finally {
    await parts.close();
  }
}
