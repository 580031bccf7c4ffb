import type { ServerBuild } from "./server-record.ts";
import { ServerError } from "./server-error.ts";
import { statePathsOf } from "./state-directory.ts";
import { invalidState, readStateFile, writeStateFile } from "./state-file.ts";

/**
 * Records that `build` is about to open the data directory, and refuses one that is older than
 * the newest that ever did: an older Chroma aborts on a directory that a newer one merely opened.
 * @throws ServerError `SERVER_DOWNGRADE` or `SERVER_STATE_INVALID`.
 */
export function admitBuild(dataDirectory: string, build: ServerBuild): void {
  const newest = newestBuildOf(dataDirectory);
  if (newest !== undefined) {
    const order = compareVersions(build.version, newest.version);
    if (order === 0) return;
    if (order < 0) {
      throw new ServerError(
        `${dataDirectory} was opened by ${newest.name} ${newest.version}; ` +
          `${build.name} ${build.version} is older and would abort on it`,
        {
          code: "SERVER_DOWNGRADE",
          hint: `Configure a command that runs Chroma ${newest.version} or newer.`,
        },
      );
    }
  }
  writeStateFile(statePathsOf(dataDirectory).builds, { newest: build });
}

/** The newest build that ever opened the data directory under our care. */
function newestBuildOf(dataDirectory: string): ServerBuild | undefined {
  const path = statePathsOf(dataDirectory).builds;
  const value = readStateFile(path);
  if (value === undefined) return undefined;
  const newest = value["newest"] as Partial<ServerBuild> | undefined;
  if (typeof newest?.name !== "string" || typeof newest.version !== "string") {
    throw invalidState(path, "it does not name the newest build");
  }
  return { name: newest.name, version: newest.version };
}

/** Negative when `left` is older than `right`; missing parts count as 0. */
export function compareVersions(left: string, right: string): number {
  const a = left.split(".").map(Number);
  const b = right.split(".").map(Number);
  for (let part = 0; part < 3; part += 1) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
