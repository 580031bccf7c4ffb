import { mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@holdfast/core";
import type { HealthCheck, PlannedStep, RecoveryStrategy, StepAction } from "@holdfast/recovery";
import { directoryChecks } from "../checks/directory-checks.ts";
import { openQuarantine } from "../server/quarantine.ts";
import { statePathsOf } from "../server/state-directory.ts";
import { diagnosisOf, failuresOf, findingOf } from "./findings.ts";
import type { ChromaRecoveryDeps } from "./recovery-ports.ts";

const NAME = "configuration";

/** Can what is configured work here: the configuration itself, paths, permissions, space? */
export function configurationStrategy(deps: ChromaRecoveryDeps): RecoveryStrategy {
  const { server, configuration, clock = systemClock } = deps;
  const checks: HealthCheck[] = [
    ...(configuration === undefined ? [] : [{ name: "configuration", run: configuration }]),
    ...(server === undefined
      ? []
      : directoryChecks(server.dataDirectory).filter(({ name }) => name !== "persistence")),
  ];
  return {
    name: NAME,
    diagnose: async ({ signal }) => {
      if (server !== undefined && isInTheWay(server.dataDirectory)) {
        const message = `${server.dataDirectory} is a file, and must be a directory`;
        return diagnosisOf(NAME, [{ check: "data-directory", message }], [moveAside(server)]);
      }
      const failures = await failuresOf(checks, signal);
      const [first] = failures;
      const refusal = first && { message: first.message, hint: first.hint ?? "" };
      return diagnosisOf(NAME, failures.map(findingOf), [], refusal);
    },
    actions: server === undefined ? [] : [moveAsideAction(server.dataDirectory, clock)],
  };
}

function isInTheWay(dataDirectory: string): boolean {
  return statSync(dataDirectory, { throwIfNoEntry: false })?.isDirectory() === false;
}

function moveAside({ dataDirectory }: { dataDirectory: string }): PlannedStep {
  return {
    action: "move-file-aside",
    parameters: {},
    title: "move the file aside that is where the data directory belongs",
    changes: [`${dataDirectory} moves into quarantine`, "an empty directory takes its place"],
    risk: "low",
    costMs: 10,
    reversal: "nothing",
  };
}

function moveAsideAction(
  dataDirectory: string,
  clock: NonNullable<ChromaRecoveryDeps["clock"]>,
): StepAction {
  return {
    name: "move-file-aside",
    run: (_parameters, { note }) => {
      if (!isInTheWay(dataDirectory)) {
        return Promise.resolve({ result: "nothing-to-do", message: "it is a directory" });
      }
      const { dataDirectory: real } = statePathsOf(dataDirectory);
      const why = { reason: "a file was where the data directory belongs" };
      const folder = openQuarantine(dataDirectory, why, clock);
      renameSync(real, join(folder, "data"));
      mkdirSync(real, { recursive: true, mode: 0o700 });
      note(`the file is now ${join(folder, "data")}`);
      return Promise.resolve({ result: "repaired", message: "an empty directory is in its place" });
    },
  };
}
