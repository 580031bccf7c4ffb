import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ServerBuild } from "./server-record.ts";

/** A Chroma server that is known to run on this machine. */
export interface ServerProgram {
  /** How it was found. */
  source: "command" | "path" | "package" | "cache";
  build: ServerBuild;
  /** An executable and its first arguments, or the bindings' `.node` file. */
  launch: { kind: "command"; argv: readonly string[] } | { kind: "bindings"; file: string };
}

/** What the guard beside a bindings build needs to know; see server-guard.ts. */
export interface GuardArguments {
  stateDirectory: string;
  stopSignal: NodeJS.Signals;
  orphanMs: number;
  /** Whose end makes the server an orphan, until somebody adopts it. */
  keeperPid: number;
}

const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** The command line that runs the program with `serverArguments`, e.g. `["run", "chroma.yaml"]`. */
export function commandLine(
  launch: ServerProgram["launch"],
  serverArguments: readonly string[],
  guard?: GuardArguments,
): readonly [string, ...string[]] {
  if (launch.kind === "command") {
    return [...launch.argv, ...serverArguments] as unknown as readonly [string, ...string[]];
  }
  // Imports of the entry resolve to source as well.
  const entry = new URL(FROM_SOURCE ? "./server-entry.ts" : "./server-entry.js", import.meta.url);
  return [
    process.execPath,
    ...(FROM_SOURCE ? ["--conditions=@holdfast/source"] : []),
    "--disable-warning=ExperimentalWarning",
    fileURLToPath(entry),
    launch.file,
    guard?.stateDirectory ?? "",
    guard?.stopSignal ?? "",
    String(guard?.orphanMs ?? 0),
    String(guard?.keeperPid ?? 0),
    ...serverArguments,
  ];
}

/**
 * The environment of our child processes: options meant for this Node are not for theirs. From source
 * they are, since an older Node may need one to read it.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, NODE_V8_COVERAGE: _coverage, ...environment } = process.env;
  return FROM_SOURCE && NODE_OPTIONS !== undefined ? { ...environment, NODE_OPTIONS } : environment;
}

export type ProbeResult = { runs: true; version: string } | { runs: false; reason: string };

const PROBE_LIMIT_MS = 20_000;
const PROBE_OUTPUT_MAX = 64 * 1024;

/** Asks a program for its version in a process of its own: what cannot be loaded here fails there. */
export function probeProgram(launch: ServerProgram["launch"]): Promise<ProbeResult> {
  const [command, ...args] = commandLine(launch, ["--version"]);
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: childEnvironment(),
      // Not `timeout`: its timer outlives a command that does not exist, and holds the process.
      signal: AbortSignal.timeout(PROBE_LIMIT_MS),
      killSignal: "SIGKILL",
    });
    child.once("error", (error) => resolve({ runs: false, reason: error.message }));
    const output = outputOf(child, PROBE_OUTPUT_MAX);
    child.once("close", (code, signal) => {
      const version = /\b(\d+\.\d+\.\d+)\b/.exec(output())?.[1];
      if (code === 0 && version !== undefined) resolve({ runs: true, version });
      else resolve({ runs: false, reason: explain(output(), code, signal) });
    });
  });
}

/** What a child has said so far, on either pipe; about `charactersMax` of it. */
export function outputOf(child: ChildProcess, charactersMax: number): () => string {
  let output = "";
  // There are no pipes when no descriptor was free.
  for (const pipe of [child.stdout, child.stderr]) {
    pipe?.on("data", (chunk: Buffer) => {
      if (output.length < charactersMax) output += chunk.toString("utf8");
    });
  }
  return () => output;
}

function explain(output: string, code: number | null, signal: NodeJS.Signals | null): string {
  const glibc = /version [`'](GLIBC_[\d.]+)' not found/.exec(output)?.[1];
  if (glibc !== undefined) return `it needs ${glibc.replace("_", " ")} or newer`;
  const line = output.split("\n").find((candidate) => /error|cannot|not found/i.test(candidate));
  if (line !== undefined) return line.trim().slice(0, 200);
  if (signal !== null) return `it was ended by ${signal}`;
  return code === 0 ? "it does not say its version" : `it exited with code ${code}`;
}
