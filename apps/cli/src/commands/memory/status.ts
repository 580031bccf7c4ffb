import type { Command } from "commander";
import { formatDuration } from "@holdfast/core";
import type { MemoryStatus } from "@holdfast/memory";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { columns, type Output, printable } from "../../output.ts";
import { type ServerState, serverState } from "../../server-state.ts";
import { type Verdict, verdictOf } from "../../verdict.ts";
import { withMirror } from "../../wire.ts";
import type { Workspace } from "../../workspace.ts";

export function register(command: Command, context: Context): void {
  command.action(() => status(context));
  example(command, ["holdfast memory status", "holdfast memory status --json"]);
}

interface Report {
  verdict: Verdict;
  configuration: { source: string; file: string | undefined; environment: string };
  store: {
    mode: string;
    place: string;
    collection: string;
    server: ServerState | undefined;
  };
  embedder: { provider: string; model: string | undefined };
  memory: MemoryStatus;
}

async function status(context: Context): Promise<void> {
  const { output } = context;
  const loaded = context.config();
  const report = await withMirror(context, (memory, workspace): Report => {
    const state = memory.status();
    return {
      verdict: verdictOf(state, Date.now()),
      configuration: {
        source: loaded.source,
        file: loaded.file,
        environment: loaded.config.environment,
      },
      store: {
        mode: loaded.config.vector_store.config.mode ?? "managed",
        place: placeOf(workspace),
        collection: state.collection,
        server:
          workspace.dataDirectory === undefined ? undefined : serverState(workspace.dataDirectory),
      },
      embedder: {
        provider: loaded.config.embedder.provider,
        model: loaded.config.embedder.model,
      },
      memory: state,
    };
  });
  output.result(report, text(report, output));
}

function placeOf({ dataDirectory, config }: Workspace): string {
  if (dataDirectory !== undefined) return dataDirectory;
  const { host, port, tenant, database } = config.vector_store.config;
  const address = [host ?? "Chroma Cloud", port].filter(Boolean).join(":");
  return [address, tenant, database].filter(Boolean).join(" ");
}

function text(report: Report, output: Output): string {
  const { verdict, configuration, store, memory } = report;
  const { ledger, outbox, breaker } = memory;
  const colour = (
    { healthy: "green", unhealthy: "red", degraded: "yellow", unknown: "yellow" } as const
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
    ["breaker", `${breaker.state}: ${breaker.why}`],
    ...(breaker.state === "closed" ? [] : [["", breaker.next]]),
    [
      "ledger",
      `accepted ${ledger.accepted} = stored ${ledger.stored} + queued ${ledger.queued} + dead ${ledger.dead} + discarded ${ledger.discarded}`,
    ],
    ["outbox", `${outbox.records} waiting${oldest}`],
    ...(outbox.lastError === undefined ? [] : [["", `last attempt: ${outbox.lastError}`]]),
    ["mirror", `${memory.mirrored} memories`],
  ];
  const head = `${output.paint([colour, "bold"], verdict.status)}: ${printable(verdict.cause)}`;
  const next = verdict.next === undefined ? [] : [`next: ${verdict.next}`];
  return [head, ...next, "", printable(columns(rows))].join("\n");
}

function describeServer(server: ServerState): string {
  if (!server.running)
    return server.recorded ? "not running, though it was started" : "not running";
  return `running on ${server.host}:${server.port}, pid ${server.pid}`;
}
