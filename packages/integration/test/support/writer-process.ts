import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const FIXTURE = fileURLToPath(new URL("../fixtures/writer.ts", import.meta.url));

export type Answer = Record<string, unknown>;

/** A process of the fixture `writer.ts`; see there for its commands. */
export interface Writer {
  pid: number;
  /** Everything it has answered so far, in order. */
  answers: readonly Answer[];
  send(command: Answer): void;
  /** The next answer after `from` answers that passes. Rejects when the process ends before. */
  answer(passes?: (answer: Answer) => boolean, from?: number): Promise<Answer>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has stopped itself, as its settings told it to. */
  stopped(): Promise<void>;
  /** Closes its input: it finishes what it was told and exits. */
  close(): void;
  /** Resolves with the signal that ended it, or null. */
  ended(): Promise<NodeJS.Signals | null>;
}

/** Starts a writer, under `command` (strace, say) if given, and waits until it is ready. */
export async function startWriter(
  settings: object,
  command: readonly string[] = [],
): Promise<Writer> {
  const args = [
    ...command.slice(1),
    ...(command.length > 0 ? [process.execPath] : []),
    "--conditions=@holdfast/source",
    "--disable-warning=ExperimentalWarning",
    FIXTURE,
    JSON.stringify(settings),
  ];
  const child = spawn(command[0] ?? process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const writer = watch(child);
  await writer.answer((answer) => answer["ready"] === true);
  return writer;
}

function watch(child: ChildProcess): Writer {
  const answers: Answer[] = [];
  const waiting = new Set<() => void>();
  const ended = once(child, "close").then(([, signal]) => signal as NodeJS.Signals | null);
  const wake = (): void => {
    for (const check of waiting) check();
  };
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      answers.push(JSON.parse(line) as Answer);
      wake();
    });
  }
  child.stdin?.on("error", () => undefined);
  return {
    pid: child.pid as number,
    answers,
    send: (command) => void child.stdin?.write(`${JSON.stringify(command)}\n`),
    answer: (passes = () => true, from = 0) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = answers.slice(from).find(passes);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        void ended.then((signal) => reject(new Error(`the writer ended (${signal ?? "exit"})`)));
        check();
      }),
    close: () => void child.stdin?.end(),
    signal: (signal) => void child.kill(signal),
    stopped: async () => {
      while (!/\) T /.test(readFileSync(`/proc/${child.pid}/stat`, "latin1"))) await pause(20);
    },
    ended: () => ended,
  };
}
