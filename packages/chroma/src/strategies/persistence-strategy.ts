import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "@holdfast/core";
import type { Diagnosis, PlannedStep, RecoveryStrategy } from "@holdfast/recovery";
import { StoreError } from "@holdfast/store";
import { probeChecks } from "../checks/probe-checks.ts";
import { directoryChecks } from "../checks/directory-checks.ts";
import { compareTwice } from "../checks/compare-twice.ts";
import { crashLoopOutcome } from "../checks/process-checks.ts";
import { vectorSegments } from "../repairs/vector-segments.ts";
import { lacksMagic } from "../repairs/sqlite-magic.ts";
import {
  describeFinding,
  inspectDataDirectory,
  type Inspection,
} from "../server/inspect-data-directory.ts";
import { statePathsOf } from "../server/state-directory.ts";
import { diagnosisOf, failuresOf, findingOf, type StrategyFinding } from "./findings.ts";
import { lossesOf } from "./losses.ts";
import { persistenceActions } from "./persistence-actions.ts";
import {
  mergeSurvivorsStep,
  moveAsideAndRebuild,
  moveOrphansStep,
  rebuildCollectionStep,
  restoreBackupStep,
  rewriteMagicStep,
  salvageAllStep,
  salvageIndexStep,
  startAfresh,
} from "./persistence-steps.ts";
import {
  type ChromaRecoveryDeps,
  holdsOthers,
  probeOptionsOf,
  storedAtLeast,
} from "./recovery-ports.ts";
import { RESTART } from "./service-strategy.ts";

const PERSISTENCE = "persistence";

const LISTED_MAX = 20;
/** Below what any rebuild is said to cost: it is tried before. */
const RESTART_FIRST_MS = 1_000;
const PING_LIMIT_MS = 10_000;
const SQLITE_BUSY = 5;

/** Do files, catalogue, indexes and mirror agree, and can everything be read? */
export function persistenceStrategy(deps: ChromaRecoveryDeps): RecoveryStrategy {
  return {
    name: PERSISTENCE,
    diagnose: async ({ signal, force = false }) => {
      try {
        return await diagnose(deps, signal, force);
      } catch (error) {
        if (deps.server === undefined || !isLocked(error)) throw error;
        const message = "chroma.sqlite3 stays locked";
        return diagnosisOf(PERSISTENCE, [{ check: PERSISTENCE, message }], [RESTART]);
      }
    },
    actions: persistenceActions(deps),
  };
}

async function diagnose(
  deps: ChromaRecoveryDeps,
  signal: AbortSignal,
  force: boolean,
): Promise<Diagnosis> {
  const { server } = deps;
  if (server !== undefined) {
    const found = await inspectTwice(server.dataDirectory, signal);
    if (found.damaged) return diagnoseDamage(deps, server.dataDirectory, found);
  }
  return diagnoseContent(deps, signal, force);
}

/** A server that is writing is caught in between: only what stays so is damage. */
async function inspectTwice(dataDirectory: string, signal: AbortSignal): Promise<Inspection> {
  const { dataDirectory: real } = statePathsOf(dataDirectory);
  const checks = directoryChecks(real).filter(({ name }) => name === PERSISTENCE);
  const failures = await failuresOf(checks, signal);
  const inspection = inspectDataDirectory(real);
  return failures.length > 0 ? inspection : { ...inspection, damaged: false };
}

/** A server that met a full disk may hold on to its lock, and answers less and less. */
function isLocked(error: unknown): boolean {
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === SQLITE_BUSY;
}

async function diagnoseDamage(
  deps: ChromaRecoveryDeps,
  dataDirectory: string,
  { findings, collections }: Inspection,
): Promise<Diagnosis> {
  const told = findings.map((finding) => ({
    check: finding.kind,
    message: describeFinding(finding),
    evidence: { ...finding },
  }));
  const reason = findings.map(describeFinding).join("; ");
  const { lost, sure } = lossesOf(deps, dataDirectory, findings, collections);
  const steps: PlannedStep[] = [];
  const { mirrored } = deps.memory.status();
  if (lost.length === 0) steps.push(moveAsideAndRebuild(mirrored, reason, sure));
  const torn = findings.flatMap((each) => (each.kind === "torn-index" ? [each] : []));
  if (torn.length > 0) steps.push(salvageIndexStep(torn, reason, lost.length === 0));
  if (findings.some(({ kind }) => kind === "sqlite-damaged")) {
    if (lacksMagic(dataDirectory)) steps.push(rewriteMagicStep(reason));
    else steps.push(mergeSurvivorsStep(reason));
  }
  steps.push(...(await backupSteps(deps)));
  return diagnosisOf(PERSISTENCE, told, steps, refusalOf(lost));
}

/** The store answers: does it hold and show what it should? */
async function diagnoseContent(
  deps: ChromaRecoveryDeps,
  signal: AbortSignal,
  force: boolean,
): Promise<Diagnosis> {
  const { store, memory, server } = deps;
  // A store that does not answer at all is the earlier strategies'.
  if (!(await answers(store, signal))) return diagnoseCrashes(deps);
  const { collection, mirrored } = memory.status();
  const failures = await failuresOf(probeChecks(store, probeOptionsOf(memory)), signal);
  const findings: StrategyFinding[] = failures.map(findingOf);
  if (findings.length === 0 && mirrored > 0) findings.push(...(await differences(deps, signal)));
  const steps: PlannedStep[] = [];
  // A server that met a full disk, say, may go on refusing until it is started again.
  const isStuck = failures.some(({ check }) => check !== "collection");
  if (isStuck && server !== undefined) {
    steps.push({ ...RESTART, costMs: RESTART_FIRST_MS });
  }
  const isGone = findings.length > 0 && holdsOthers(memory);
  if (((findings.length > 0 || force) && mirrored > 0) || isGone) {
    steps.push(rebuildCollectionStep(collection, mirrored));
  }
  if (findings.length > 0) {
    if (server !== undefined && mirrored > 0 && losesNothing(deps, server.dataDirectory)) {
      steps.push(startAfresh(mirrored, findings.map(({ message }) => message).join("; ")));
    }
    steps.push(...(await backupSteps(deps)));
  }
  const orphans = server === undefined ? [] : orphansIn(server.dataDirectory);
  if (force && orphans.length > 0) steps.push(moveOrphansStep(orphans));
  return diagnosisOf(PERSISTENCE, findings, steps, {
    message: findings.map(({ message }) => message).join("; "),
    hint: "Nothing here can bring it back. Restore a backup: holdfast memory restore",
  });
}

/** Two quick crashes on files that look whole: what is in them is not what it should be. */
function diagnoseCrashes(deps: ChromaRecoveryDeps): Diagnosis {
  const { server, memory, clock = systemClock } = deps;
  const loop = server && crashLoopOutcome(server.dataDirectory, clock);
  if (server === undefined || loop?.status !== "fail") return diagnosisOf(PERSISTENCE, [], []);
  const message = `${loop.message}, on files that look whole`;
  const finding: StrategyFinding = { check: "crash-loop", message };
  const { mirrored } = memory.status();
  const canRebuild = mirrored > 0 && losesNothing(deps, server.dataDirectory);
  const persisted = persistedIndexes(server.dataDirectory);
  const steps = [
    ...(canRebuild ? [startAfresh(mirrored, message)] : []),
    ...(persisted.length > 0 ? [salvageAllStep(persisted, message)] : []),
  ];
  return diagnosisOf(PERSISTENCE, [finding], steps);
}

function persistedIndexes(dataDirectory: string): { segment: string; collection: string }[] {
  using database = new DatabaseSync(join(dataDirectory, "chroma.sqlite3"), { readOnly: true });
  return vectorSegments(database).filter(({ persisted }) => persisted !== undefined);
}

async function answers(store: ChromaRecoveryDeps["store"], signal: AbortSignal): Promise<boolean> {
  try {
    await store.ping({ signal, timeoutMs: PING_LIMIT_MS });
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    signal.throwIfAborted();
    return false;
  }
}

async function differences(
  { memory, store }: ChromaRecoveryDeps,
  signal: AbortSignal,
): Promise<StrategyFinding[]> {
  if (storedAtLeast(memory) === 0) return [];
  await store.ping({ signal });
  const { missing, different, equal, compared } = await compareTwice(memory, signal);
  if (equal) return [];
  const named = [...missing, ...different].slice(0, LISTED_MAX);
  return [
    {
      check: "mirror",
      message: `of ${compared} memories ${missing.length} are missing and ${different.length} differ from the mirror (${named.join(", ")})`,
      evidence: { missing: missing.length, different: different.length, ids: named },
    },
  ];
}

function losesNothing(deps: ChromaRecoveryDeps, dataDirectory: string): boolean {
  const { findings, collections } = inspectDataDirectory(dataDirectory);
  return lossesOf(deps, dataDirectory, findings, collections).lost.length === 0;
}

function orphansIn(dataDirectory: string): readonly string[] {
  const { findings } = inspectDataDirectory(dataDirectory);
  return findings.flatMap((finding) =>
    finding.kind === "orphan-segments" ? finding.segments : [],
  );
}

async function backupSteps({ backup }: ChromaRecoveryDeps): Promise<PlannedStep[]> {
  const described = await backup?.describe();
  return described === undefined ? [] : [restoreBackupStep(described)];
}

function refusalOf(lost: readonly string[]): { message: string; hint: string } {
  const more = lost.length > LISTED_MAX ? ` and ${lost.length - LISTED_MAX} more` : "";
  return {
    message: `only the damaged directory holds ${lost.slice(0, LISTED_MAX).join(", ")}${more}`,
    hint: "Restore a backup (holdfast memory restore), or move the directory away yourself.",
  };
}
