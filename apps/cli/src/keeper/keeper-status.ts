import { existsSync } from "node:fs";
import { join } from "node:path";
import { statePathsOf } from "@holdfast/chroma/state";
import { type Clock, systemClock } from "@holdfast/core";
import { KernelLock } from "@holdfast/sqlite";
import { KeeperDatabase, type KeeperState } from "./keeper-database.ts";

export interface KeeperStatus extends KeeperState {
  /** Whether a process manages the directory now. */
  running: boolean;
  /** Processes that use the store now. */
  users: number;
}

/** What the keeper of a data directory is doing; undefined when it never had one. Starts nothing. */
export function keeperStatus(
  dataDirectory: string,
  clock: Clock = systemClock,
): KeeperStatus | undefined {
  const { stateDirectory, keeperLock } = statePathsOf(dataDirectory);
  if (!existsSync(join(stateDirectory, "keeper.db"))) return undefined;
  using database = KeeperDatabase.open(stateDirectory, clock);
  const running = existsSync(keeperLock) && KernelLock.isHeld(keeperLock);
  return { ...database.read(), running, users: database.users() };
}
