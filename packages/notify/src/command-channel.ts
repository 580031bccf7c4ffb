import { type ChildProcess, spawn } from "node:child_process";
import { childEnd, type Clock, systemClock } from "@holdfast/core";
import type { Channel } from "./channel.ts";
import { type Notification, notificationJson, notificationLine } from "./notification.ts";
import { NotifyError } from "./notify-error.ts";
import { withTimeLimit } from "./time-limit.ts";

/**
 * Runs a command for each notification. No shell is asked: the list is the program and its
 * arguments, as they are. It reads the notification as JSON on stdin, and as one line in the
 * environment's `HOLDFAST_NOTICE`, beside `HOLDFAST_SEVERITY` and `HOLDFAST_STATE`.
 */
export interface CommandChannelOptions {
  type: "command";
  command: readonly string[];
  /** Then it and what it started are killed. Default 10000. */
  timeoutMs?: number;
}

export const COMMAND_DEFAULTS = { timeoutMs: 10_000 } as const;
const INPUT_BYTES_MAX = 65_536;
/** How much of what it says on stderr is kept for the error. */
const OUTPUT_CHARACTERS_MAX = 2_000;

export function commandChannel(
  options: CommandChannelOptions,
  { clock = systemClock }: { clock?: Clock },
): Channel {
  const { command, timeoutMs } = { ...COMMAND_DEFAULTS, ...options };
  const [program, ...rest] = command;
  if (program === undefined || program === "")
    throw new NotifyError("CHANNEL_INVALID", "A command channel needs a program", {
      hint: 'Write the program and its arguments as a list: ["notify-send", "Holdfast"].',
    });
  return {
    name: `command ${program}`,
    send: (notification, signal) =>
      withTimeLimit({ clock, limitMs: timeoutMs, signal }, (limit) =>
        run(program, rest, notification, limit),
      ),
  };
}

async function run(
  program: string,
  rest: readonly string[],
  notification: Notification,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child: ChildProcess = spawn(program, rest, {
    // A group of its own, so that what it starts can be ended with it.
    detached: process.platform !== "win32",
    stdio: ["pipe", "ignore", "pipe"],
    env: {
      ...process.env,
      HOLDFAST_NOTICE: notificationLine(notification).slice(0, OUTPUT_CHARACTERS_MAX),
      HOLDFAST_SEVERITY: notification.severity,
      HOLDFAST_STATE: notification.state,
    },
  });
  const ended = childEnd(child);
  let said = "";
  // A process that has no file descriptor left gets a child without pipes, which fails right after.
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-OUTPUT_CHARACTERS_MAX);
  });
  // A program that does not read its input is none the worse for it.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(notificationJson(notification, INPUT_BYTES_MAX));
  try {
    const { code, signal: killedBy } = await untilAborted(ended, signal);
    if (code === 0) return;
    const how = code === null ? `was ended by ${killedBy}` : `ended with ${code}`;
    throw undelivered(`${program} ${how}${said === "" ? "" : `: ${said.trim()}`}`);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof NotifyError) throw error;
    throw undelivered(`${program} cannot be run: ${(error as Error).message}`, error);
  } finally {
    kill(child);
    child.stderr?.destroy();
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    work.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}

/** Ends a group that still runs; one that is gone needs no ending. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function undelivered(message: string, cause?: unknown): NotifyError {
  return new NotifyError("NOTICE_UNDELIVERED", message, { retryable: true, cause });
}
