import { existsSync, statfsSync } from "node:fs";
import type { Command } from "commander";
import { durationMs, formatDuration, HoldfastError } from "@holdfast/core";
import type { BackupStatus, MemoryStatus, OthersStatus, SalvageStatus } from "@holdfast/memory";
import { breakerRows } from "../../breaker-text.ts";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { keeperStatus, type KeeperStatus } from "../../keeper/keeper-status.ts";
import { moment } from "../../memory-text.ts";
import type { MetricsDigest } from "../../metrics-digest.ts";
import { columns, type Output, printable } from "../../output.ts";
import { type ServerState, serverState } from "../../server-state.ts";
import { type Verdict, verdictOf } from "../../verdict.ts";
import { withMirror } from "../../wire.ts";
import { metricsFileOf, type Workspace } from "../../workspace.ts";
import { counted } from "../../counted.ts";

export function register(command: Command, context: Context): void {
  command.action(() => status(context));
  example(command, ["holdfast memory status", "holdfast memory status --json"]);
}

const LOST_NAMED_MAX = 20;

interface Report {
  verdict: Verdict;
  configuration: { source: string; file: string | undefined; environment: string };
  store: {
    mode: string;
    place: string;
    collection: string;
    server: ServerState | undefined;
    keeper: KeeperStatus | undefined;
  };
  embedder: { provider: string; model: string | undefined };
  memory: MemoryStatus;
  /** Of the last 24 hours; undefined when nothing was recorded yet, or it cannot be read. */
  metrics: MetricsDigest | undefined;
}

async function status(context: Context): Promise<void> {
  const { output } = context;
  const loaded = context.config();
  const report = await withMirror(context, async (memory, workspace): Promise<Report> => {
    const state = memory.status();
    const metrics = await recentMetrics(workspace, output);
    const { dataDirectory } = workspace;
    const keeper = dataDirectory === undefined ? undefined : keeperStatus(dataDirectory);
    const server = dataDirectory === undefined ? undefined : serverState(dataDirectory);
    const { interval } = loaded.config.health;
    return {
      verdict: loaded.config.enabled
        ? verdictOf(state, {
            now: Date.now(),
            intervalMs: durationMs(interval),
            keeper,
            server: server?.running ? "running" : server?.recorded ? "gone" : undefined,
            isDiskFull: keeper !== undefined && isDiskFull(workspace),
            seen: metrics,
          })
        : SWITCHED_OFF,
      configuration: {
        source: loaded.source,
        file: loaded.file,
        environment: loaded.config.environment,
      },
      store: {
        mode: loaded.config.vector_store.config.mode ?? "managed",
        place: placeOf(workspace),
        collection: state.collection,
        server,
        keeper,
      },
      embedder: {
        provider: loaded.config.embedder.provider,
        model: loaded.config.embedder.model,
      },
      memory: state,
      metrics,
    };
  });
  output.result(report, text(report, await metricsRows(report), output));
}

/** As little as one write of SQLite's may want. */
const ROOM_BYTES_MIN = 64 * 1024;

function isDiskFull({ stateDirectory }: Workspace): boolean {
  const { bavail, bsize } = statfsSync(stateDirectory);
  return bavail * bsize < ROOM_BYTES_MIN;
}

const SWITCHED_OFF: Verdict = {
  status: "unknown",
  cause: "switched off by enabled: false",
  next: "holdfast config explain enabled",
  evidenceAgeMs: undefined,
};

async function metricsRows({ metrics }: Report): Promise<string[][]> {
  if (metrics === undefined) return [];
  const { statusRows } = await import("../../metrics-text.ts");
  return statusRows(metrics, Date.now());
}

/** The reader is only loaded when there is something to read. */
async function recentMetrics(
  workspace: Workspace,
  output: Output,
): Promise<MetricsDigest | undefined> {
  if (!existsSync(metricsFileOf(workspace))) return undefined;
  const { digestMetrics } = await import("../../metrics-digest.ts");
  try {
    return digestMetrics(workspace, "24h");
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    output.warn(`the metrics cannot be read: ${error.message}`);
    return undefined;
  }
}

function placeOf({ dataDirectory, config }: Workspace): string {
  if (dataDirectory !== undefined) return dataDirectory;
  const { host, port, tenant, database } = config.vector_store.config;
  const address = [host ?? "Chroma Cloud", port].filter(Boolean).join(":");
  return [address, tenant, database].filter(Boolean).join(" ");
}

function text(report: Report, metrics: string[][], output: Output): string {
  const { verdict, configuration, store, memory } = report;
  const { ledger, outbox, breaker, salvaged } = memory;
  const colour = (
    {
      healthy: "green",
      unhealthy: "red",
      recovering: "yellow",
      degraded: "yellow",
      unknown: "yellow",
    } as const
  )[verdict.status];
  const oldest =
    outbox.oldestAgeMs === undefined
      ? ""
      : `, the oldest for ${formatDuration(outbox.oldestAgeMs)}`;
  const rows = [
    [
      "configuration",
      `${configuration.file ?? "built-in defaults"} (${configuration.source}, ${configuration.environment})`,
    ],
    ["store", `${store.mode} Chroma, ${store.place}, collection ${store.collection}`],
    ...(store.server === undefined ? [] : [["server", describeServer(store.server)]]),
    ...(store.keeper?.running === true ? keeperRows(store.keeper) : []),
    ...breakerRows(breaker, Date.now()),
    [
      "ledger",
      `accepted ${ledger.accepted} = stored ${ledger.stored} + queued ${ledger.queued} + dead ${ledger.dead} + discarded ${ledger.discarded}`,
    ],
    ["outbox", `${outbox.records} waiting${oldest}`],
    ...(outbox.lastError === undefined ? [] : [["", `last attempt: ${outbox.lastError}`]]),
    ["mirror", counted(memory.mirrored, "memory")],
    ...othersRows(memory.others),
    ...(salvaged === undefined ? [] : salvageRows(salvaged)),
    ...backupRows(memory.backups),
    ...metrics,
  ];
  const head = `${output.paint([colour, "bold"], verdict.status)}: ${printable(verdict.cause)}`;
  const next = verdict.next === undefined ? [] : [`next: ${verdict.next}`];
  return [head, ...next, "", printable(columns(rows))].join("\n");
}

function othersRows({ held, vanished, syncedAt }: OthersStatus): string[][] {
  if (syncedAt === undefined && held + vanished === 0) return [];
  const at = syncedAt === undefined ? "not synced to its end yet" : `synced ${moment(syncedAt)}`;
  const lost = vanished === 0 ? "" : `, ${vanished} that the store has lost`;
  return [["", `${counted(held, "record")} of other programs${lost}, ${at}`]];
}

function backupRows({ last, lastDrill, undoable }: BackupStatus): string[][] {
  const partial = last?.partial == null ? "" : ", partial";
  const rows =
    last === undefined
      ? [["backup", "none yet; make one with: holdfast memory backup"]]
      : [
          [
            "backup",
            `${moment(last.madeAt)}, ${counted(last.memories, "memory")}${partial}, ${last.path}`,
          ],
        ];
  if (last !== undefined && !existsSync(last.path)) rows.push(["", "which is not there any more"]);
  if (lastDrill !== undefined) {
    const tookMs = formatDuration(Math.max(1, lastDrill.tookMs));
    rows.push(["drill", `${moment(lastDrill.at)}, restored and compared in ${tookMs}`]);
  }
  if (undoable !== undefined)
    rows.push(["restored", `${moment(undoable)}; holdfast memory restore --undo takes it back`]);
  return rows;
}

function salvageRows({ at, file, lost }: SalvageStatus): string[][] {
  const named = lost.slice(0, LOST_NAMED_MAX).join(", ");
  const more = lost.length > LOST_NAMED_MAX ? ` and ${lost.length - LOST_NAMED_MAX} more` : "";
  return [
    ["damage", `the outbox was damaged on ${moment(at)}, and set aside as ${file}`],
    ["", lost.length === 0 ? "nothing is known to be lost" : `lost: ${named}${more}`],
  ];
}

function keeperRows({ phase, detail, canaryAt, foreseen }: KeeperStatus): string[][] {
  const canary =
    canaryAt === undefined
      ? ""
      : `; a canary came back ${formatDuration(Math.max(0, Date.now() - canaryAt))} ago`;
  return [
    ["keeper", `${phase}: ${detail}${canary}`],
    ...foreseen.map((line) => ["foreseen", line]),
  ];
}

function describeServer(server: ServerState): string {
  if (!server.running)
    return server.recorded ? "not running, though it was started" : "not running";
  return `running on ${server.host}:${server.port}, pid ${server.pid}`;
}
