import type { Config } from "@holdfast/config";
import { connectionChecks, directoryChecks, processChecks } from "@holdfast/chroma";
import { existsSync } from "node:fs";
import { formatDuration, type HoldfastError, systemClock } from "@holdfast/core";
import type { LoggedBackup, Memory } from "@holdfast/memory";
import type { CheckOutcome, HealthCheck } from "@holdfast/recovery";
import { healthOptions } from "../health-options.ts";
import { storeChecks } from "../keeper/store-checks.ts";
import { foreseenCheck, keeperCheck, memoryChecks } from "../monitor/memory-checks.ts";
import { configuredChecks } from "../monitor/service-checks.ts";
import type { Parts } from "../wire.ts";
import type { Workspace } from "../workspace.ts";
import { counted } from "../counted.ts";

/** A model that is loaded for the first time takes its time. */
const EMBEDDER_LIMIT_MS = 30_000;
const BACKUP_AGE_MS_MAX = 7 * 24 * 3_600_000;

/** Every registered check: our own services' and the user's. None of them changes a memory. */
export function healthChecks(
  parts: Parts,
  { backups, target, refusal }: HealthCheckDeps,
): HealthCheck[] {
  const { workspace, memory, store, breaker } = parts;
  const { config, dataDirectory } = workspace;
  const { timeoutMs, canary } = healthOptions(config);
  return [
    mirrorCheck(memory),
    embedderCheck(parts),
    ...memoryChecks(memory, breaker),
    ...(dataDirectory === undefined ? [] : serverChecks(dataDirectory, config, refusal)),
    // Tenant and database are asked for below.
    ...connectionChecks(target, store, timeoutMs).filter(({ name }) => name !== "access"),
    ...storeChecks({ timeoutMs, canary }, parts),
    ...(dataDirectory === undefined ? [] : directoryChecks(dataDirectory)),
    backupCheck(backups, config.environment),
    policyCheck(workspace),
    ...configuredChecks(config.health.services),
  ];
}

export interface HealthCheckDeps {
  backups: readonly LoggedBackup[];
  /** Where the store should answer. */
  target: Parameters<typeof connectionChecks>[0];
  /** Why a managed server could not be started; asked at each look. */
  refusal: () => HoldfastError | undefined;
}

function serverChecks(
  dataDirectory: string,
  config: Config,
  refusal: HealthCheckDeps["refusal"],
): HealthCheck[] {
  const { intervalMs } = healthOptions(config);
  const keeper = keeperCheck(dataDirectory, { intervalMs, clock: systemClock });
  return [
    ...processChecks(dataDirectory).map((check): HealthCheck => {
      // What works now may have crashed a moment ago.
      if (check.name === "crash-loop") return { ...check, severity: "degraded" };
      if (check.name !== "process") return check;
      return { ...check, run: (context) => refusedBy(refusal()) ?? check.run(context) };
    }),
    { ...keeper, service: "chroma" },
    { ...foreseenCheck(dataDirectory), service: "chroma" },
  ];
}

/** Why there is no server says more than that there is none. */
function refusedBy(refusal: HoldfastError | undefined): CheckOutcome | undefined {
  if (refusal === undefined) return undefined;
  const { message, code, hint = "holdfast server status" } = refusal;
  return { status: "fail", message, evidence: { code }, hint };
}

function mirrorCheck(memory: Memory): HealthCheck {
  return {
    name: "mirror",
    service: "memory",
    run: () => {
      const { total } = memory.list({ limit: 1 });
      return { status: "pass", message: `on this machine: ${counted(total, "memory")}` };
    },
  };
}

/** Adding goes on without it, and waits for it to reach the store. */
function embedderCheck({ embedder }: Parts): HealthCheck {
  return {
    name: "embedder",
    service: "memory",
    severity: "degraded",
    timeoutMs: EMBEDDER_LIMIT_MS,
    run: async ({ signal }) => {
      const [{ provider, dimension }, [vector]] = await Promise.all([
        embedder.identity(),
        embedder.embed(["a rope that holds"], { signal }),
      ]);
      const length = vector?.length ?? 0;
      if (length === dimension && vector?.every(Number.isFinite) === true)
        return { status: "pass", message: `${provider} makes vectors of ${dimension} numbers` };
      return { status: "fail", message: `${provider} made ${length} numbers, not ${dimension}` };
    },
  };
}

function backupCheck(
  backups: readonly LoggedBackup[],
  environment: Config["environment"],
): HealthCheck {
  return {
    name: "last-backup",
    service: "backup",
    severity: "degraded",
    run: (): CheckOutcome => {
      const [last] = backups;
      const hint = "holdfast memory backup";
      if (last === undefined) {
        const isNeeded = environment === "staging" || environment === "production";
        return { status: isNeeded ? "warn" : "pass", message: "there is no backup yet", hint };
      }
      const ageMs = Date.now() - last.madeAt;
      const evidence = { path: last.path, memories: last.memories, ageMs };
      const age = `the last backup is ${formatDuration(ageMs)} old`;
      if (!existsSync(last.path))
        return { status: "warn", message: `${age}, and not there any more`, evidence, hint };
      if (ageMs > BACKUP_AGE_MS_MAX) return { status: "warn", message: age, evidence, hint };
      if (last.partial !== null)
        return { status: "warn", message: `${age}, and partial: ${last.partial}`, evidence, hint };
      return {
        status: "pass",
        message: `${age}, with ${counted(last.memories, "memory")}`,
        evidence,
      };
    },
  };
}

function policyCheck({ config }: Workspace): HealthCheck {
  return {
    name: "rules",
    service: "policy",
    severity: "degraded",
    run: async (): Promise<CheckOutcome> => {
      const { loadPolicies } = await import("@holdfast/policy");
      const { ruleset, warnings } = loadPolicies(config.policies.directory);
      const message = `in force: ${counted(ruleset.rules.length, "rule")}`;
      if (warnings.length === 0) return { status: "pass", message };
      return {
        status: "warn",
        message: `${message}, ${warnings.length} notes about them`,
        hint: "holdfast policy lint",
      };
    },
  };
}
