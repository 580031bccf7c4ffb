import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import type { CheckOutcome, HealthCheck } from "@holdfast/recovery";
import { KernelLock } from "@holdfast/sqlite";
import { readExits } from "../server/exit-history.ts";
import { hasOpen, writersOf } from "../server/process-table.ts";
import { readServerRecord } from "../server/server-record.ts";
import { statePathsOf } from "../server/state-directory.ts";
import { isAlive } from "../server/terminate.ts";

/** Ends within this time of each other are one crash loop. */
const LOOP_WINDOW_MS = 10 * 60_000;
const LOOP_EXITS = 2;
const QUICK_MS = 60_000;

/** Looks at the managed server's process, without asking the server. */
export function processChecks(dataDirectory: string, clock: Clock = systemClock): HealthCheck[] {
  const check = (
    name: string,
    severity: NonNullable<HealthCheck["severity"]>,
    run: () => CheckOutcome,
  ): HealthCheck => ({ name, service: "chroma", severity, run });
  return [
    check("process", "offline", () => processOutcome(dataDirectory)),
    check("crash-loop", "unhealthy", () => crashLoopOutcome(dataDirectory, clock)),
    check("server-files", "unhealthy", () => serverFilesOutcome(dataDirectory)),
    check("one-server", "unhealthy", () => oneServerOutcome(dataDirectory)),
  ];
}

function processOutcome(dataDirectory: string): CheckOutcome {
  const record = readServerRecord(dataDirectory);
  if (record === undefined) {
    const last = readExits(dataDirectory).at(-1);
    const message = "no server runs";
    if (last === undefined) return { status: "fail", message, hint: START };
    const how = last.signal ?? `exit code ${last.code ?? "unknown"}`;
    const when = last.ready ? "" : " before it answered";
    return {
      status: "fail",
      message: `${message}; the last one ended${when} (${how})`,
      evidence: { ...last },
      hint: START,
    };
  }
  const { pid, port } = record;
  if (!isAlive(record)) {
    return { status: "fail", message: `the server is dead (process ${pid})`, hint: START };
  }
  const evidence = { pid, port };
  if (isStopped(pid)) {
    const message = `the server's process ${pid} is stopped, and answers nothing`;
    return { status: "fail", message, evidence, hint: RECOVER };
  }
  const { keeperLock } = statePathsOf(dataDirectory);
  const isKept = existsSync(keeperLock) && KernelLock.isHeld(keeperLock);
  if (isKept) return { status: "pass", message: `process ${pid} runs`, evidence };
  const message = `process ${pid} runs, and nobody looks after it`;
  return { status: "warn", message, evidence, hint: START };
}

const START = "Start it with: holdfast server start";
const RECOVER = "Repair it with: holdfast memory recover";

/**
 * Restarting what keeps crashing repairs nothing: the second quick end asks for a look. A server that
 * has run for longer since is out of the loop.
 */
export function crashLoopOutcome(dataDirectory: string, clock: Clock): CheckOutcome {
  const upMs = clock.monotonic();
  // One that is still to come is from before the machine's last start.
  const recent = readExits(dataDirectory).filter(
    (exit) => exit.upMs <= upMs && upMs - exit.upMs <= LOOP_WINDOW_MS,
  );
  const quick = recent.filter(({ ranMs }) => ranMs <= QUICK_MS);
  const record = readServerRecord(dataDirectory);
  const isSteady = record !== undefined && isAlive(record) && upMs - record.startedUpMs > QUICK_MS;
  if (quick.length < LOOP_EXITS || isSteady) {
    return { status: "pass", message: "it does not keep crashing" };
  }
  const how = quick.map(({ signal, code }) => signal ?? `exit code ${code ?? "unknown"}`);
  return {
    status: "fail",
    message: `it ended ${quick.length} times within a minute of its start (${how.join(", ")})`,
    evidence: { exits: quick.map((exit) => ({ ...exit })) },
    hint: RECOVER,
  };
}

/** Chroma has no lock: two servers on one directory cost most of its vectors, without an error. */
function oneServerOutcome(dataDirectory: string): CheckOutcome {
  const paths = statePathsOf(dataDirectory);
  const writers = writersOf(join(paths.dataDirectory, "chroma.sqlite3"));
  const record = readServerRecord(dataDirectory);
  const strangers = writers.filter((pid) => pid !== record?.pid);
  if (strangers.length === 0) return { status: "pass", message: "nobody else has it open" };
  return {
    status: "fail",
    message: `other processes have the data directory open for writing: ${strangers.join(", ")}`,
    evidence: { pids: strangers },
    hint: `End them (kill ${strangers.join(" ")}), then: holdfast memory recover`,
  };
}

/** A server goes on with files that are no longer there, until it is started again. */
function serverFilesOutcome(dataDirectory: string): CheckOutcome {
  const record = readServerRecord(dataDirectory);
  const path = join(statePathsOf(dataDirectory).dataDirectory, "chroma.sqlite3");
  if (record === undefined || hasOpen(record.pid, `${path} (deleted)`) !== true) {
    return { status: "pass", message: "it works on the files that are there" };
  }
  return {
    status: "fail",
    message: `the data directory was removed or replaced under process ${record.pid}`,
    evidence: { pid: record.pid, path },
    hint: RECOVER,
  };
}

/** SIGSTOP'd or traced, as the kernel tells it; Linux only. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const state = stat.charAt(stat.lastIndexOf(")") + 2);
    return state === "T" || state === "t";
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}
