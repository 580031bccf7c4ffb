import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { HoldfastError } from "@holdfast/core";
import { openPipe } from "./named-pipe.ts";
import { readStderr, stderrLength, Tail, TAIL_MARGIN_BYTES, tailModeOf } from "./stderr-tail.ts";

export interface ProgramEnd {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
  /** The end of its stderr and some before it, as far as it could be known; else empty. */
  stderr: string;
}

/** Passed on. A terminal sends its own to all that belong to it, the program among them. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR2"];
const TERMINAL_SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
/** After its end, for what is still in the pipe. */
const DRAIN_MS = 100;

/**
 * Runs a program with this process's terminal, streams and signals.
 * @throws HoldfastError `PROGRAM_NOT_FOUND`, `PROGRAM_NOT_EXECUTABLE`.
 */
export async function runProgram(
  [program = "", ...args]: readonly string[],
  stderrBytesMax: number,
): Promise<ProgramEnd> {
  const mode = tailModeOf(stderrBytesMax);
  const from = stderrLength() ?? 0;
  const pipe = mode === "relay" ? openPipe() : undefined;
  const began = performance.now();
  const child = spawn(program, args, { stdio: ["inherit", "inherit", pipe?.writer ?? "inherit"] });
  if (pipe !== undefined) closeSync(pipe.writer);
  const stop = passSignals(child);
  const bytesKept = stderrBytesMax + TAIL_MARGIN_BYTES;
  const tail = new Tail(bytesKept);
  if (pipe !== undefined) relay(pipe.reader, tail);
  try {
    const [exitCode, signal] = (await once(child, "exit")) as [
      number | null,
      NodeJS.Signals | null,
    ];
    const durationMs = performance.now() - began;
    if (pipe !== undefined) await handOver(pipe.reader);
    const stderr = mode === "file" ? readStderr(from, bytesKept) : tail.toString();
    return { exitCode, signal, durationMs, stderr };
  } catch (error) {
    pipe?.reader.destroy();
    throw startFailure(program, error);
  } finally {
    stop();
  }
}

function relay(stderr: Socket, tail: Tail): void {
  stderr.on("data", (chunk: Buffer) => {
    tail.push(chunk);
    if (!process.stderr.write(chunk)) {
      stderr.pause();
      process.stderr.once("drain", () => stderr.resume());
    }
  });
  // Nobody reads ours any more: neither will anybody read the program's.
  process.stderr.on("error", () => stderr.destroy());
}

/**
 * Waits for the end of the pipe. Something that the program left behind may hold it for ever: then
 * it is handed to a `cat` that passes on what still comes, and ends with it.
 */
async function handOver(stderr: Socket): Promise<void> {
  if (stderr.readableEnded || stderr.destroyed) return;
  const ended = once(stderr, "close").then(() => true);
  const late = new Promise<false>((resolve) => setTimeout(resolve, DRAIN_MS, false).unref());
  if (await Promise.race([ended, late])) return;
  stderr.pause();
  spawn("cat", { stdio: [stderr, process.stderr, "ignore"], detached: true }).unref();
  stderr.destroy();
}

function passSignals(child: ChildProcess): () => void {
  const stops = [...SIGNALS, ...TERMINAL_SIGNALS].map((signal) => {
    const listener = (): void => {
      if (process.stdin.isTTY && TERMINAL_SIGNALS.includes(signal)) return;
      child.kill(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => stops.forEach((stop) => stop());
}

function startFailure(program: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall?.startsWith("spawn") !== true) return error;
  const found = code !== "ENOENT";
  return new HoldfastError(
    found
      ? `${program} cannot be run: ${(error as Error).message}`
      : `There is no program ${program}`,
    {
      code: found ? "PROGRAM_NOT_EXECUTABLE" : "PROGRAM_NOT_FOUND",
      hint: "Run it by its path, or see: holdfast run --help",
      cause: error,
    },
  );
}
