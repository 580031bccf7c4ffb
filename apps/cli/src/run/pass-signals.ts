import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { isatty } from "node:tty";

/** Those that others send, and that a program may answer. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM"];
/** A terminal sends its own to all that belong to it, the program among them. */
const TERMINAL_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
/** A signal that has ended nothing by then never will. */
const END_MS = 1_000;

/** Passes signals on to whoever is `receiver` when they come; returns what ends it. */
export function passSignals(receiver: () => ChildProcess | undefined): () => void {
  // Not `process.stdin`: where that is a pipe, to ask for it changes it for the program, too.
  const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const stops = [...SIGNALS, ...TERMINAL_SIGNALS].map((signal) => {
    const listener = (): void => {
      if (!(onTerminal && TERMINAL_SIGNALS.includes(signal))) receiver()?.kill(signal);
    };
    process.on(signal, listener);
    return () => void process.off(signal, listener);
  });
  return () => stops.forEach((stop) => stop());
}

/**
 * Ends this process by a signal, so that who waits for it sees what waiting for the program would
 * have shown. Resolves to what a shell makes of that signal, where it does not end us.
 */
export async function endBy(signal: NodeJS.Signals): Promise<number> {
  try {
    // Some Node ignores, and SIGUSR1 opens its debugger. A listener that is gone leaves the system's answer.
    process.on(signal, ignore).off(signal, ignore);
  } catch {
    // Nobody can listen to SIGKILL.
  }
  process.kill(process.pid, signal);
  await new Promise((resolve) => setTimeout(resolve, END_MS));
  return 128 + constants.signals[signal];
}

const ignore = (): void => undefined;
