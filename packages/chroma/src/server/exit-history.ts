import { join } from "node:path";
import type { Clock } from "@holdfast/core";
import { statePathsOf } from "./state-directory.ts";
import { readStateFile, writeStateFile } from "./state-file.ts";

/** How a server ended without having been asked to. */
export interface RecordedExit {
  /** Wall-clock milliseconds, for people; and monotonic ones, by which its age is told. */
  at: number;
  upMs: number;
  code: number | null;
  signal: string | null;
  /** Milliseconds it ran. */
  ranMs: number;
  /** Whether it had answered a real round trip. */
  ready: boolean;
}

const KEPT_MAX = 20;

/** Keeps an end of just now in the state directory, for whoever looks at the server later. */
export function recordExit(
  dataDirectory: string,
  exit: Omit<RecordedExit, "at" | "upMs">,
  clock: Clock,
): void {
  const ended = { at: clock.now(), upMs: Math.round(clock.monotonic()), ...exit };
  const exits = [...readExits(dataDirectory), ended].slice(-KEPT_MAX);
  writeStateFile(exitFileOf(dataDirectory), { exits });
}

/** The last ends that nobody had asked for, oldest first. @throws ServerError `SERVER_STATE_INVALID`. */
export function readExits(dataDirectory: string): RecordedExit[] {
  const exits = readStateFile(exitFileOf(dataDirectory))?.["exits"];
  return Array.isArray(exits) ? (exits as RecordedExit[]) : [];
}

/** Other files were put in the place of those that it ended on: its ends say nothing about them. */
export function forgetExits(dataDirectory: string): void {
  if (readExits(dataDirectory).length > 0) writeStateFile(exitFileOf(dataDirectory), { exits: [] });
}

function exitFileOf(dataDirectory: string): string {
  return join(statePathsOf(dataDirectory).stateDirectory, "exits.json");
}
