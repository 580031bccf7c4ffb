import type { Diagnosis, PlannedStep, RecoveryStrategy, StepAction } from "@holdfast/recovery";
import { processChecks } from "../checks/process-checks.ts";
import { describeFinding, inspectDataDirectory } from "../server/inspect-data-directory.ts";
import { diagnosisOf, failuresOf, findingOf } from "./findings.ts";
import type { ChromaRecoveryDeps, ServerControl } from "./recovery-ports.ts";

const NAME = "service-health";
const PATIENCE_MS = [5_000, 15_000];

const START: PlannedStep = {
  action: "start-server",
  parameters: {},
  title: "start Chroma on its data directory",
  changes: ["a Chroma server runs on this machine, on loopback"],
  risk: "low",
  costMs: 2_000,
  reversal: "nothing",
};

export const RESTART: PlannedStep = {
  action: "restart-server",
  parameters: {},
  title: "end Chroma, by its gentlest signal first, and start it again",
  changes: ["the server's process is replaced; calls that it was answering are cut off"],
  risk: "low",
  costMs: 6_000,
  reversal: "nothing",
};

/**
 * Is the process alive, and does it answer? A server is never started on files that it would crash
 * on or hide: those are the persistence strategy's.
 */
export function serviceStrategy(deps: ChromaRecoveryDeps): RecoveryStrategy {
  const { server, orchestrator } = deps;
  return {
    name: NAME,
    diagnose: ({ signal, force = false }) =>
      server === undefined
        ? diagnoseElsewhere(deps, signal)
        : diagnoseManaged(deps, server, signal, force),
    actions: [
      ...(server === undefined ? [] : [startAction(server), restartAction(server)]),
      ...(orchestrator === undefined
        ? []
        : [
            {
              name: "restart-service",
              run: async (_parameters: unknown, { signal }: { signal: AbortSignal }) => {
                await orchestrator.restart(signal);
                return { result: "repaired" as const, message: `${orchestrator.name} restarted` };
              },
            },
          ]),
    ],
  };
}

async function diagnoseManaged(
  { store }: ChromaRecoveryDeps,
  server: ServerControl,
  signal: AbortSignal,
  force: boolean,
): Promise<Diagnosis> {
  const failures = await failuresOf(processChecks(server.dataDirectory), signal);
  const findings = failures.map(findingOf);
  const strangers = failures.find(({ check }) => check === "one-server");
  if (strangers !== undefined) {
    const { message, hint = "" } = strangers;
    return diagnosisOf(NAME, findings, [], { message, hint });
  }
  const dead = failures.some(({ check, evidence }) => check === "process" && !evidence?.["port"]);
  if (!dead && findings.length === 0) {
    const hang = await whyNoAnswer(store, signal);
    if (hang !== undefined) findings.push({ check: "answer", message: hang });
  }
  if (findings.length === 0) return diagnosisOf(NAME, [], force ? [RESTART] : []);
  const { damaged, findings: damage } = inspectDataDirectory(server.dataDirectory);
  if (damaged) {
    const what = damage.map(describeFinding).join("; ");
    findings.push({ check: "persistence", message: `it is not started as it is: ${what}` });
    return diagnosisOf(NAME, findings, []);
  }
  return diagnosisOf(NAME, findings, [dead ? START : RESTART]);
}

async function diagnoseElsewhere(
  { store, orchestrator }: ChromaRecoveryDeps,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const hang = await whyNoAnswer(store, signal);
  if (hang === undefined) return diagnosisOf(NAME, [], []);
  const findings = [{ check: "answer", message: hang }];
  // Where the way to it ends, the strategy of connectivity says better.
  if (orchestrator === undefined) return diagnosisOf(NAME, findings, []);
  const step: PlannedStep = {
    ...RESTART,
    action: "restart-service",
    title: `restart Chroma (${orchestrator.name})`,
  };
  return diagnosisOf(NAME, findings, [step]);
}

/** On a machine that is busy an answer takes its time: it is asked again before it counts as hung. */
async function whyNoAnswer(
  store: ChromaRecoveryDeps["store"],
  signal: AbortSignal,
): Promise<string | undefined> {
  let why: string | undefined;
  for (const timeoutMs of PATIENCE_MS) {
    try {
      await store.ping({ signal, timeoutMs });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      why = `it does not answer: ${(error as Error).message}`;
    }
  }
  return why;
}

function startAction(server: ServerControl): StepAction {
  return {
    name: START.action,
    run: async (_parameters, { signal }) => {
      await server.start(signal);
      return { result: "repaired", message: "Chroma runs and answers" };
    },
  };
}

export function restartAction(server: ServerControl): StepAction {
  return {
    name: RESTART.action,
    run: async (_parameters, { signal }) => {
      if (server.running !== undefined) await server.halt();
      // This ends what a dead keeper left and does not answer; what answers is adopted.
      const { adopted } = await server.start(signal);
      if (adopted) {
        await server.halt();
        await server.start(signal);
      }
      return { result: "repaired", message: "Chroma was started again, and answers" };
    },
  };
}
