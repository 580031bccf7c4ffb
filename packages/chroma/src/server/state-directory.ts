import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { cannotStart } from "./server-error.ts";

/** Where the state of one data directory lives. */
export interface StatePaths {
  /** The data directory with every symbolic link resolved. */
  dataDirectory: string;
  stateDirectory: string;
  /** Held by the process that manages the server. */
  keeperLock: string;
  /** Held by the server process itself, for builds that are launched through our entry. */
  serverLock: string;
  serverRecord: string;
  serverConfig: string;
  serverLog: string;
  builds: string;
  quarantine: string;
}

/**
 * The folder beside a data directory that holds its locks, logs and records: the data directory's
 * real path followed by `.holdfast`. Two spellings of one directory have one state directory.
 */
export function stateDirectoryOf(dataDirectory: string): string {
  return `${realPathOf(resolve(dataDirectory))}.holdfast`;
}

export function statePathsOf(dataDirectory: string): StatePaths {
  const real = realPathOf(resolve(dataDirectory));
  const stateDirectory = `${real}.holdfast`;
  return {
    dataDirectory: real,
    stateDirectory,
    keeperLock: join(stateDirectory, "keeper.lock"),
    serverLock: join(stateDirectory, "server.lock"),
    serverRecord: join(stateDirectory, "server.json"),
    serverConfig: join(stateDirectory, "chroma.yaml"),
    serverLog: join(stateDirectory, "server.log"),
    builds: join(stateDirectory, "builds.json"),
    quarantine: join(stateDirectory, "quarantine"),
  };
}

/**
 * Creates the state directory (0700, ignored by git). Idempotent.
 * @throws ServerError `SERVER_START_FAILED`.
 */
export function ensureStateDirectory(dataDirectory: string): StatePaths {
  const paths = statePathsOf(dataDirectory);
  try {
    mkdirSync(paths.stateDirectory, { recursive: true, mode: 0o700 });
    writeOnce(join(paths.stateDirectory, ".gitignore"), "*\n");
  } catch (error) {
    throw cannotStart(error, paths.dataDirectory);
  }
  return paths;
}

function writeOnce(path: string, content: string): void {
  try {
    writeFileSync(path, content, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Resolves the links of what exists; what does not exist yet keeps its spelling. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return join(realPathOf(dirname(path)), basename(path));
  }
}
