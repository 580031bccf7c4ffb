import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import type { CheckOutcome, HealthCheck } from "@holdfast/recovery";
import {
  describeFinding,
  type Finding,
  inspectDataDirectory,
} from "../server/inspect-data-directory.ts";
import { statePathsOf } from "../server/state-directory.ts";

export interface DirectoryCheckOptions {
  /** Below so many free bytes writes are about to fail. Default 64 MiB. */
  freeBytesMin?: number;
  /** Below so many there is still time to act. Default 512 MiB. */
  freeBytesWarn?: number;
}

const MIB = 1_024 * 1_024;
const SECOND_LOOK_MS = 1_500;
const SCAN_LIMIT_MS = 60_000;
const RECOVER = "See what would be done with: holdfast memory recover --dry-run";

/** Looks at the files of a data directory; with or without a server on it. */
export function directoryChecks(
  dataDirectory: string,
  options: DirectoryCheckOptions = {},
  clock: Clock = systemClock,
): HealthCheck[] {
  return [
    {
      name: "data-directory",
      service: "chroma",
      severity: "unhealthy",
      run: () => accessOutcome(statePathsOf(dataDirectory).dataDirectory),
    },
    {
      name: "disk-space",
      service: "chroma",
      severity: "degraded",
      run: () => spaceOutcome(dataDirectory, options),
    },
    {
      name: "persistence",
      service: "chroma",
      severity: "unhealthy",
      timeoutMs: SCAN_LIMIT_MS,
      run: ({ signal }) => persistenceOutcome(dataDirectory, clock, signal),
    },
  ];
}

function accessOutcome(dataDirectory: string): CheckOutcome {
  const place = nearestThere(dataDirectory);
  try {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
    return { status: "pass", message: `${place} is writable` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      status: "fail",
      message: `${place} cannot be written (${code})`,
      evidence: { path: place, code: code ?? "unknown" },
      hint: `Make it writable for this user: chmod u+rwx ${place}, or mount it writable.`,
    };
  }
}

function spaceOutcome(dataDirectory: string, options: DirectoryCheckOptions): CheckOutcome {
  const { bavail, bsize } = statfsSync(nearestThere(statePathsOf(dataDirectory).dataDirectory));
  const free = bavail * bsize;
  const message = `${Math.floor(free / MIB)} MiB are free`;
  const evidence = { freeBytes: free };
  const hint = "Free some space: a full disk stops reads as well as writes.";
  if (free < (options.freeBytesMin ?? 64 * MIB)) return { status: "fail", message, evidence, hint };
  if (free < (options.freeBytesWarn ?? 512 * MIB)) {
    return { status: "warn", message, evidence, hint };
  }
  return { status: "pass", message, evidence };
}

/**
 * A running server is caught between two of its writes: what looks torn then is looked at again, and
 * counts only if it stays exactly as it was.
 */
async function persistenceOutcome(
  dataDirectory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const first = inspectDataDirectory(dataDirectory);
  if (!first.damaged) return orphansOutcome(first.findings);
  await clock.sleep(SECOND_LOOK_MS, signal);
  const second = inspectDataDirectory(dataDirectory);
  const lasting = damageOf(second.findings).filter((finding) =>
    damageOf(first.findings).some((before) => isSame(before, finding)),
  );
  if (lasting.length === 0) return orphansOutcome(second.findings);
  return {
    status: "fail",
    message: lasting.map(describeFinding).join("; "),
    evidence: { findings: lasting.map((finding) => ({ ...finding })) },
    hint: RECOVER,
  };
}

function orphansOutcome(findings: readonly Finding[]): CheckOutcome {
  const orphans = findings.filter(({ kind }) => kind === "orphan-segments");
  const told = orphans.length > 0 ? ` (${orphans.map(describeFinding).join("; ")})` : "";
  return { status: "pass", message: `files agree with each other${told}` };
}

function damageOf(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ kind }) => kind !== "orphan-segments");
}

function isSame(one: Finding, other: Finding): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function nearestThere(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestThere(dirname(path));
}
