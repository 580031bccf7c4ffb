import type { ChildProcess } from "node:child_process";
import type { Clock } from "@holdfast/core";
import { isAlive, type ProcessIdentity } from "./terminate.ts";

export interface ServerExit {
  pid: number;
  incarnation: string;
  /** Undefined together with `signal` for an adopted server: only its parent learns them. */
  code: number | null | undefined;
  signal: NodeJS.Signals | null | undefined;
  /** Milliseconds it ran. */
  ranMs: number;
  /** The last lines of its log, oldest first. */
  logTail: readonly string[];
}

export type ProcessExit = Omit<ServerExit, "logTail">;

export interface ProcessWatch {
  /** How it ended; undefined while it lives. */
  readonly exited: ProcessExit | undefined;
  /** Resolves when it has ended unasked; never, once `expectExit` was called. */
  readonly crashed: Promise<ProcessExit>;
  /** From now on its end is no crash, and nothing is watched that would need a timer. */
  expectExit(): void;
}

const POLL_MS = 250;

/** Watches our child by its exit event, and somebody else's process by looking. */
export function watchProcess(
  identity: ProcessIdentity & { incarnation: string; startedUpMs: number },
  child: ChildProcess | undefined,
  clock: Clock,
): ProcessWatch {
  const { promise: crashed, resolve: crash } = Promise.withResolvers<ProcessExit>();
  let exited: ProcessExit | undefined;
  let expected = false;
  const onExit = (code: ServerExit["code"], signal: ServerExit["signal"]): void => {
    const { pid, incarnation, startedUpMs } = identity;
    exited = { pid, incarnation, code, signal, ranMs: Math.round(clock.monotonic() - startedUpMs) };
    if (!expected) crash(exited);
  };
  let timer: NodeJS.Timeout | undefined;
  if (child === undefined) {
    timer = setInterval(() => {
      if (isAlive(identity)) return;
      clearInterval(timer);
      onExit(undefined, undefined);
    }, POLL_MS);
    timer.unref();
  } else {
    child.once("exit", onExit);
  }
  return {
    get exited() {
      return exited;
    },
    crashed,
    expectExit() {
      expected = true;
      clearInterval(timer);
    },
  };
}
