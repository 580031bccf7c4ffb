import { rmSync } from "node:fs";
import { ServerError } from "./server-error.ts";
import { statePathsOf } from "./state-directory.ts";
import { invalidState, readStateFile, writeStateFile } from "./state-file.ts";

export interface ServerBuild {
  name: string;
  /** What the build itself reports, `major.minor.patch`. */
  version: string;
}

/** The server that was last started on a data directory and not yet stopped. */
export interface ServerRecord {
  pid: number;
  /** As the kernel states it; with the pid it names one process. See `processStartOf`. */
  processStart: string;
  host: string;
  port: number;
  build: ServerBuild;
  /** Random, new with every start. */
  incarnation: string;
  /** Wall-clock milliseconds, for people; and monotonic ones, by which its age is told. */
  startedAt: number;
  startedUpMs: number;
  /** False until it answered its first real round trip. */
  ready: boolean;
}

/** Where a server answers, and which run of it. */
export interface ServerEndpoint {
  host: string;
  port: number;
  incarnation: string;
}

/** The recorded server, running or not. @throws ServerError `SERVER_STATE_INVALID`. */
export function readServerRecord(dataDirectory: string): ServerRecord | undefined {
  const path = statePathsOf(dataDirectory).serverRecord;
  const value = readStateFile(path);
  if (value === undefined) return undefined;
  const build = value["build"] as Partial<ServerBuild> | undefined;
  const valid =
    Number.isSafeInteger(value["pid"]) &&
    typeof value["processStart"] === "string" &&
    typeof value["host"] === "string" &&
    Number.isInteger(value["port"]) &&
    typeof value["incarnation"] === "string" &&
    typeof value["startedAt"] === "number" &&
    typeof value["startedUpMs"] === "number" &&
    typeof value["ready"] === "boolean" &&
    typeof build?.name === "string" &&
    typeof build.version === "string";
  if (!valid) throw invalidState(path, "a field is missing or has the wrong type");
  return value as unknown as ServerRecord;
}

export function writeServerRecord(dataDirectory: string, record: ServerRecord): void {
  writeStateFile(statePathsOf(dataDirectory).serverRecord, record);
}

export function removeServerRecord(dataDirectory: string): void {
  rmSync(statePathsOf(dataDirectory).serverRecord, { force: true });
}

/**
 * Where the managed server of a data directory answers, asked anew at every call: it works from
 * any process and starts nothing. This is `ChromaStore`'s `endpoint` in managed mode.
 */
export function managedEndpoint(dataDirectory: string): () => Promise<ServerEndpoint> {
  // oxlint-disable-next-line require-await -- a failure is a rejection, never a throw
  return async () => {
    const record = readServerRecord(dataDirectory);
    if (record?.ready !== true) {
      throw new ServerError(`No Chroma server is running on ${dataDirectory}`, {
        code: "SERVER_NOT_RUNNING",
        retryable: true,
        hint: "Start it with: holdfast server start",
      });
    }
    return { host: record.host, port: record.port, incarnation: record.incarnation };
  };
}
