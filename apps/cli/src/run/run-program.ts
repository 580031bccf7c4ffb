import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { HoldfastError } from "@holdfast/core";
import { openPipe } from "./named-pipe.ts";
import { passSignals } from "./pass-signals.ts";
import { StderrRelay } from "./stderr-relay.ts";
import { readStderr, stderrLength, Tail, TAIL_MARGIN_BYTES, tailModeOf } from "./stderr-tail.ts";

export interface ProgramEnd {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
  /** The end of its stderr and some before it, as far as it could be known; else empty. */
  stderr: string;
}

/**
 * Runs a program with this process's terminal, streams and signals.
 * @throws HoldfastError `PROGRAM_NOT_FOUND`, `PROGRAM_NOT_EXECUTABLE`.
 */
export async function runProgram(
  [program = "", ...args]: readonly string[],
  stderrBytesMax: number,
): Promise<ProgramEnd> {
  const mode = tailModeOf(stderrBytesMax);
  const bytesKept = stderrBytesMax + TAIL_MARGIN_BYTES;
  const from = stderrLength() ?? 0;
  const pipe = mode === "relay" ? openPipe() : undefined;
  const relay = pipe && new StderrRelay(pipe, new Tail(bytesKept));
  const began = performance.now();
  try {
    const [exitCode, signal] = await exitOf(program, args, pipe?.writer);
    const durationMs = performance.now() - began;
    await relay?.end();
    const stderr = mode === "file" ? readStderr(from, bytesKept) : (relay?.tail ?? "");
    return { exitCode, signal, durationMs, stderr };
  } finally {
    relay?.close();
  }
}

type Exit = [exitCode: number | null, signal: NodeJS.Signals | null];

async function exitOf(
  program: string,
  args: readonly string[],
  stderr: number | undefined,
): Promise<Exit> {
  let child: ChildProcess | undefined;
  // Before it starts: a signal that ended us in between would leave it behind.
  const stop = passSignals(() => child);
  try {
    child = spawn(program, args, { stdio: ["inherit", "inherit", stderr ?? "inherit"] });
    if (stderr !== undefined) closeSync(stderr);
    return (await once(child, "exit")) as Exit;
  } catch (error) {
    throw startFailure(program, error);
  } finally {
    stop();
  }
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
      hint:
        process.platform === "win32"
          ? "What is a .cmd, as npm is, needs its shell: holdfast run -- cmd /c npm test"
          : "Run it by its path, or see: holdfast run --help",
      cause: error,
    },
  );
}
