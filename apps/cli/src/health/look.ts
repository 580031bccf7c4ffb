import { setTimeout as sleep } from "node:timers/promises";
import { HoldfastError } from "@holdfast/core";
import type { LoggedBackup, MemoryStatus } from "@holdfast/memory";
import { runChecks } from "@holdfast/recovery";
import type { HealthOptions } from "../commands/health.ts";
import type { Context } from "../context.ts";
import { healthOptions } from "../health-options.ts";
import type { SelfTestReport } from "../recovery/self-test.ts";
import { targetOf } from "../recovery/store-recovery.ts";
import { usage } from "../selection.ts";
import { storeAccess } from "../store-access.ts";
import { type Parts, withBackupLog, withUngovernedMemory } from "../wire.ts";
import { exportMetrics } from "../export-metrics.ts";
import { answerOf, type HealthAnswer } from "./health-answer.ts";
import { healthChecks } from "./health-checks.ts";
import { type HealthHistory, readHistory } from "./health-history.ts";
import { SERVICE_NAMES } from "./service-names.ts";

/** Everything that one look found, as far as it was asked for. */
export interface HealthLook {
  answer: HealthAnswer;
  memory: MemoryStatus;
  /** With `--self-test`. */
  selfTest: SelfTestReport | undefined;
  /** With `--detailed` or `--report`. */
  history: HealthHistory | undefined;
  /** With `--export openmetrics`. */
  openMetrics: string | undefined;
}

/** Looks at every registered service at the same time; a slow one hides no other. */
export async function look(options: HealthOptions, context: Context): Promise<HealthLook> {
  const { signal } = context;
  return withUngovernedMemory(context, async (memory, parts) => {
    const { workspace } = parts;
    const backups = await withBackupLog(workspace, (log) => log.list());
    const target = targetOf(workspace, storeAccess(workspace, context.environment));
    const { timeoutMs } = healthOptions(workspace.config);
    let refusal: HoldfastError | undefined;
    const deps = { backups, target, refusal: () => refusal };
    const checks = selected(healthChecks(parts, deps), options.service);
    if (checks.some(({ service }) => service === "chroma")) refusal = await whyNone(parts, signal);
    const results = await runChecks(checks, { signal, timeoutMs });
    const selfTest = options.selfTest === true ? await testOf(parts, context) : undefined;
    return {
      answer: answerOf(results),
      memory: memory.status(),
      selfTest,
      history: await historyFor(options, parts, backups),
      openMetrics:
        options.export === "openmetrics" ? exportMetrics(parts, "openmetrics") : undefined,
    };
  });
}

const START_LIMIT_MS = 60_000;

/**
 * A managed server that nobody used is started first: that it was not there is no trouble. Resolves
 * with why there is none.
 */
async function whyNone(
  { workspace, endpoint }: Parts,
  signal: AbortSignal,
): Promise<HoldfastError | undefined> {
  if (workspace.dataDirectory === undefined) return undefined;
  const over = new AbortController();
  try {
    const late = sleep(START_LIMIT_MS, undefined, {
      signal: AbortSignal.any([signal, over.signal]),
    });
    await Promise.race([endpoint(), late]);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    return error;
  } finally {
    over.abort();
  }
}

function selected(
  checks: ReturnType<typeof healthChecks>,
  asked: string,
): ReturnType<typeof healthChecks> {
  if (asked === "all") return checks;
  const chosen = checks.filter(({ name, service = name }) => service === asked);
  if (chosen.length > 0) return chosen;
  const own = checks.map(({ name, service = name }) => service);
  const known = [...new Set(["all", ...SERVICE_NAMES, ...own])].join(", ");
  throw usage(`There is no service ${asked}`, `They are: ${known}`);
}

async function testOf(parts: Parts, context: Context): Promise<SelfTestReport> {
  const { runSelfTest } = await import("./run-self-test.ts");
  return runSelfTest(parts, context);
}

async function historyFor(
  options: HealthOptions,
  { workspace, memory, metrics }: Parts,
  backups: LoggedBackup[],
): Promise<HealthHistory | undefined> {
  if (options.detailed !== true && options.report === undefined) return undefined;
  return readHistory({ workspace, metrics, status: memory.status(), backups }, Date.now());
}
