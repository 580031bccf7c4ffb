import type { Command } from "commander";
import { formatDuration } from "@holdfast/core";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { keeperStatus, type KeeperStatus } from "../../keeper/keeper-status.ts";
import { columns, messageOf, printable } from "../../output.ts";
import { type ServerState, serverState } from "../../server-state.ts";
import { storeAccess } from "../../store-access.ts";
import { openStore } from "../../wire.ts";
import { type Workspace, workspaceOf } from "../../workspace.ts";

export function register(command: Command, context: Context): void {
  command.action(() => status(context));
  example(command, ["holdfast server status"]);
}

/** What a real round trip to the tenant and database showed. */
type Answer = { ok: true; ms: number } | { ok: false; reason: string };

async function status(context: Context): Promise<void> {
  const workspace = workspaceOf(context.config());
  const { dataDirectory } = workspace;
  const server = dataDirectory === undefined ? undefined : serverState(dataDirectory);
  const answer: Answer =
    server?.running === false
      ? { ok: false, reason: server.recorded ? "it ended unasked" : "it is not running" }
      : await roundTrip(workspace, context);
  if (!answer.ok) context.exitStatus = EXIT.unavailable;
  const keeper = dataDirectory === undefined ? undefined : keeperStatus(dataDirectory);
  context.output.result(
    { server, answer, keeper, dataDirectory },
    text({ server, answer, keeper, workspace }),
  );
}

async function roundTrip(workspace: Workspace, context: Context): Promise<Answer> {
  const store = await openStore(workspace, storeAccess(workspace, context.environment));
  const began = performance.now();
  try {
    await store.ping({ signal: context.signal, timeoutMs: 5_000 });
    return { ok: true, ms: Math.round((performance.now() - began) * 10) / 10 };
  } catch (error) {
    context.signal.throwIfAborted();
    return { ok: false, reason: messageOf(error) };
  } finally {
    await store.close();
  }
}

interface Shown {
  server: ServerState | undefined;
  answer: Answer;
  keeper: KeeperStatus | undefined;
  workspace: Workspace;
}

function text({ server, answer, keeper, workspace }: Shown): string {
  const { host, port } = workspace.config.vector_store.config;
  const rows = [
    ["answers", answer.ok ? `yes, in ${answer.ms} ms` : `no: ${answer.reason}`],
    ...(server === undefined
      ? [["runs", `elsewhere: ${[host ?? "Chroma Cloud", port].filter(Boolean).join(":")}`]]
      : []),
    ...(server?.running
      ? [
          ["runs", `on ${server.host}:${server.port}, pid ${server.pid}`],
          ["build", `Chroma ${server.build.version} (${server.build.name})`],
          ["for", formatDuration(Math.max(0, Date.now() - server.startedAt))],
        ]
      : []),
    ...(keeper === undefined ? [] : describeKeeper(keeper)),
    ...(workspace.dataDirectory === undefined ? [] : [["data", workspace.dataDirectory]]),
  ];
  const next = answer.ok
    ? []
    : ["", server === undefined ? "next: holdfast health" : "next: holdfast server start"];
  return printable([columns(rows), ...next].join("\n"));
}

function describeKeeper(keeper: KeeperStatus): string[][] {
  const { running, phase, detail, pinned, users, failure } = keeper;
  const until = pinned ? "until it is stopped" : `while it is used (now by ${users})`;
  return [
    ["keeper", running ? `${phase}: ${detail}; runs ${until}` : "not running"],
    ...(failure === undefined ? [] : [["", `gave up: ${failure.message}`]]),
  ];
}
