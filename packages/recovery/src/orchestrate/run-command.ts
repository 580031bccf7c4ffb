import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { childEnd, TIMER_MS_MAX } from "@holdfast/core";
import { RecoveryError } from "../recovery-error.ts";

export interface CommandEnd {
  /** Undefined when a signal ended it. */
  code: number | undefined;
  /** The end of what it said, on either stream, without blanks around it. */
  said: string;
}

export interface RunCommandOptions {
  signal: AbortSignal;
  /** Then it is killed, with what it has started. */
  timeoutMs: number;
}

const SAID_CHARACTERS_MAX = 2_000;

/**
 * Runs a program with its arguments, without a shell, and waits for its end.
 * @throws RecoveryError `ORCHESTRATOR_FAILED` when it cannot be run or is out of time; the signal's
 * reason.
 */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  { signal, timeoutMs }: RunCommandOptions,
): Promise<CommandEnd> {
  signal.throwIfAborted();
  const limit = AbortSignal.timeout(Math.min(timeoutMs, TIMER_MS_MAX));
  const stop = AbortSignal.any([signal, limit]);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        // A group of its own, so that what it starts can be ended with it.
        detached: process.platform !== "win32",
        stdio: ["ignore", "pipe", "pipe"],
      });
      const giveUp = (): void => {
        kill(child);
        reject(stop.reason as Error);
      };
      stop.addEventListener("abort", giveUp, { once: true });
      let said = "";
      const hear = (text: string): void => {
        said = (said + text).slice(-SAID_CHARACTERS_MAX);
      };
      // Not its `close`: a service that it has left running may hold the pipes open.
      const ended = childEnd(child);
      // There are none when no descriptor was free.
      const pipes: (Readable | undefined)[] = [child.stdout, child.stderr];
      for (const pipe of pipes) pipe?.setEncoding("utf8").on("data", hear);
      ended
        .finally(() => {
          stop.removeEventListener("abort", giveUp);
          for (const pipe of pipes) pipe?.destroy();
        })
        .then(({ code }) => resolve({ code: code ?? undefined, said: said.trim() }), reject);
    });
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted ? `no end within ${timeoutMs} ms` : (error as Error).message;
    throw commandFailed(program, why, error);
  }
}

function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** @throws RecoveryError `ORCHESTRATOR_FAILED` as `runCommand`, and for an exit code other than 0. */
export async function runOrder(
  command: readonly string[],
  options: RunCommandOptions,
): Promise<void> {
  const { code, said } = await runCommand(command, options);
  if (code === 0) return;
  const how = code === undefined ? "it was killed" : `exit code ${code}`;
  throw commandFailed(command.join(" "), said === "" ? how : `${how}: ${said}`);
}

function commandFailed(what: string, why: string, cause?: unknown): RecoveryError {
  return new RecoveryError(`${what} failed: ${why}`, {
    code: "ORCHESTRATOR_FAILED",
    retryable: true,
    hint: "Run it by hand, as the same user.",
    cause,
  });
}
