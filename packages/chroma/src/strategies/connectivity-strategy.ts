import type { PlannedStep, RecoveryStrategy } from "@holdfast/recovery";
import { connectionChecks } from "../checks/connection-checks.ts";
import { diagnosisOf, failuresOf, findingOf } from "./findings.ts";
import type { ChromaRecoveryDeps } from "./recovery-ports.ts";

const NAME = "connectivity";
/** Longer than a health check's: what is planned from it is done. */
const LIMIT_MS = 10_000;

/** A server that is down or hangs is found by these. */
const RESTARTABLE = ["tcp", "heartbeat"];

const CREATE_PLACE: PlannedStep = {
  action: "create-place",
  parameters: {},
  title: "create the configured tenant and database, which the server lacks",
  changes: ["the server gets an empty tenant and database of the configured names"],
  risk: "low",
  costMs: 100,
  reversal: "nothing",
};

/** Where does the way to the store end: name, port, HTTP, credentials, tenant and database? */
export function connectivityStrategy(deps: ChromaRecoveryDeps): RecoveryStrategy {
  const { target, store, createPlace, server, orchestrator } = deps;
  return {
    name: NAME,
    diagnose: async ({ signal }) => {
      const nowhere = await whyNowhere(target);
      if (nowhere !== undefined) {
        // A managed server that does not run is the first strategy's.
        return diagnosisOf(NAME, [{ check: "endpoint", message: nowhere }], []);
      }
      const [nearest] = await failuresOf(connectionChecks(target, store, LIMIT_MS), signal);
      if (nearest === undefined) return diagnosisOf(NAME, [], []);
      // What lies behind the first layer that fails cannot be reached either.
      const findings = [findingOf(nearest)];
      const lacksPlace = nearest.evidence?.["code"] === "STORE_MISSING";
      if (lacksPlace && createPlace !== undefined) {
        return diagnosisOf(NAME, findings, [CREATE_PLACE]);
      }
      // What a restart may end is the first strategy's, who can restart it.
      const isOurs = server !== undefined && nearest.check !== "access";
      const isRestarted = orchestrator !== undefined && RESTARTABLE.includes(nearest.check);
      if (isOurs || isRestarted) return diagnosisOf(NAME, findings, []);
      const { message, hint = "See whether Chroma runs there." } = nearest;
      return diagnosisOf(NAME, findings, [], { message, hint });
    },
    actions:
      createPlace === undefined
        ? []
        : [
            {
              name: CREATE_PLACE.action,
              run: async (_parameters, { signal }) => {
                await createPlace(signal);
                return { result: "repaired", message: "tenant and database are there" };
              },
            },
          ],
  };
}

async function whyNowhere(target: ChromaRecoveryDeps["target"]): Promise<string | undefined> {
  try {
    await target();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
