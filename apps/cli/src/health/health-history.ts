import { type Dirent, existsSync, readdirSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { LoggedBackup, MemoryStatus } from "@holdfast/memory";
import { EVENT_KINDS, type MetricsEvent, type MetricsStore } from "@holdfast/metrics";
import { type Incident, RecoveryJournal } from "@holdfast/recovery";
import { type MetricsReport, readMetrics } from "../metrics-report.ts";
import { recoveryFileOf, type Workspace } from "../workspace.ts";
import { lastSelfTest, type RecordedSelfTest } from "./self-test-record.ts";

const DAY_MS = 24 * 3_600_000;
const DAYS = 90;
const GROWTH_DAYS = 7;
const LISTED_MAX = 20;
/** Below so many, what every workspace takes outweighs what its memories take. */
const TELLING_MEMORIES_MIN = 1_000;

/** One day, from midnight UTC. `none`: nobody asked for anything, so nothing is known. */
export interface Day {
  atMs: number;
  state: "none" | "good" | "mixed" | "bad";
  succeeded: number;
  failed: number;
  incidents: number;
  deployments: number;
}

/** How fast the workspace grows; the rate is undefined while there is too little to tell it by. */
export interface Growth {
  bytes: number;
  freeBytes: number;
  bytesPerDay: number | undefined;
  daysToFull: number | undefined;
}

/** What has been, beside what is: for `--detailed` and for the page. */
export interface HealthHistory {
  /** The last 90, oldest first. */
  days: Day[];
  /** Of the last 24 hours. */
  metrics: MetricsReport;
  /** Newest first. */
  transitions: MetricsEvent[];
  incidents: Incident[];
  deployments: MetricsEvent[];
  backups: LoggedBackup[];
  growth: Growth;
  selfTest: RecordedSelfTest | undefined;
}

export interface HistoryParts {
  workspace: Workspace;
  metrics: MetricsStore;
  status: MemoryStatus;
  backups: LoggedBackup[];
}

export async function readHistory(parts: HistoryParts, now: number): Promise<HealthHistory> {
  const { workspace, metrics, backups } = parts;
  const since = Math.floor(now / DAY_MS) * DAY_MS - (DAYS - 1) * DAY_MS;
  const eventsOf = (kind: string): MetricsEvent[] => metrics.events({ since, kinds: [kind] });
  const incidents = incidentsSince(workspace, since);
  const deployments = eventsOf(EVENT_KINDS.deployment);
  const days = daysOf(metrics, since, [
    ["incidents", eventsOf(EVENT_KINDS.incidentOpened).map(({ atMs }) => atMs)],
    ["deployments", deployments.map(({ atMs }) => atMs)],
  ]);
  return {
    days,
    metrics: readMetrics(workspace, "24h"),
    transitions: eventsOf(EVENT_KINDS.breakerTransition).slice(0, LISTED_MAX),
    incidents: incidents.slice(0, LISTED_MAX),
    deployments: deployments.slice(0, LISTED_MAX),
    backups: backups.slice(0, LISTED_MAX),
    growth: await growthOf(parts, now),
    selfTest: lastSelfTest(metrics),
  };
}

function incidentsSince(workspace: Workspace, since: number): Incident[] {
  const file = recoveryFileOf(workspace);
  if (!existsSync(file)) return [];
  using journal = RecoveryJournal.open(file);
  return journal.incidents({ since });
}

function daysOf(
  metrics: MetricsStore,
  since: number,
  marks: readonly (readonly ["incidents" | "deployments", readonly number[]])[],
): Day[] {
  const { points } = metrics.timeline({ since, stepMs: DAY_MS });
  const days = Array.from({ length: DAYS }, (_, day): Day => ({
    atMs: since + day * DAY_MS,
    state: "none",
    succeeded: 0,
    failed: 0,
    incidents: 0,
    deployments: 0,
  }));
  const dayOf = (atMs: number): Day | undefined => days[Math.floor((atMs - since) / DAY_MS)];
  for (const { atMs, succeeded, failed } of points) {
    const day = dayOf(atMs);
    if (day === undefined) continue;
    day.succeeded += succeeded;
    day.failed += failed;
  }
  for (const [kind, times] of marks)
    for (const atMs of times) {
      const day = dayOf(atMs);
      if (day !== undefined) day[kind] += 1;
    }
  for (const day of days) day.state = stateOf(day);
  return days;
}

function stateOf({ succeeded, failed, incidents }: Day): Day["state"] {
  if (succeeded + failed === 0) return incidents > 0 ? "bad" : "none";
  if (succeeded === 0) return "bad";
  return failed + incidents > 0 ? "mixed" : "good";
}

/** Bytes a memory, times memories a day over the last week: an estimate, and called one. */
async function growthOf(
  { workspace, metrics, status }: HistoryParts,
  now: number,
): Promise<Growth> {
  const { stateDirectory, dataDirectory } = workspace;
  const bytes = [stateDirectory, dataDirectory].reduce(
    (sum, folder) => sum + (folder === undefined ? 0 : bytesBelow(folder)),
    0,
  );
  const { bavail, bsize } = await statfs(stateDirectory);
  const freeBytes = bavail * bsize;
  const since = now - GROWTH_DAYS * DAY_MS;
  const { operations } = metrics.summary({ since });
  const added = operations
    .filter(({ operation }) => operation === "add" || operation === "addMany")
    .reduce((sum, { succeeded }) => sum + succeeded, 0);
  const bytesPerDay =
    status.mirrored < TELLING_MEMORIES_MIN
      ? undefined
      : Math.round((added / GROWTH_DAYS) * (bytes / status.mirrored));
  return {
    bytes,
    freeBytes,
    bytesPerDay,
    daysToFull: bytesPerDay ? Math.floor(freeBytes / bytesPerDay) : undefined,
  };
}

/** Files come and go meanwhile: one that is gone takes no room. */
function bytesBelow(folder: string): number {
  return entriesOf(folder).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + bytesBelow(path);
    return sum + (entry.isFile() ? (statSync(path, { throwIfNoEntry: false })?.size ?? 0) : 0);
  }, 0);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
