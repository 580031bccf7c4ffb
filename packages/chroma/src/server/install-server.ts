import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { statfs, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@holdfast/core";
import { KernelLock } from "@holdfast/sqlite";
import { runNpm } from "./run-npm.ts";
import { hostOf, type PinnedBuild, SERVER_BUILDS } from "./server-builds.ts";
import { ServerError } from "./server-error.ts";
import { probeProgram } from "./server-program.ts";

export interface InstallProgress {
  phase: "waiting" | "fetching" | "checking" | "done";
  package: string;
  version: string;
  /** Bytes on disk so far, and in the end. */
  bytes: number;
  bytesTotal: number;
}

export interface InstallOptions {
  /** Default: `HOLDFAST_CACHE_DIR`, else the user's cache directory. */
  cacheDirectory?: string;
  /** Called about once a second. */
  onProgress?: (progress: InstallProgress) => void;
  /** Ends the fetch and removes what it left. */
  signal?: AbortSignal;
  clock?: Clock;
}

const LOCK_WAIT_MAX_MS = 15 * 60_000;
const LOCK_POLL_MS = 500;
const PROGRESS_MS = 1_000;
const TEMPORARY = ".fetching-";

/**
 * Fetches the server build for older C libraries into the user's cache by npm, which checks it
 * against the hash pinned here, and returns its file. Idempotent: what is there is not fetched
 * again, and of several processes that fetch at once one does and the others wait for it.
 * @throws ServerError `SERVER_UNSUPPORTED` or `SERVER_INSTALL_FAILED`; the signal's reason.
 */
export async function installServer(options: InstallOptions = {}): Promise<string> {
  const build = SERVER_BUILDS[hostOf()];
  if (build === undefined) {
    throw new ServerError(`There is no Chroma server build to fetch for ${hostOf()}`, {
      code: "SERVER_UNSUPPORTED",
      hint:
        "Install the Chroma CLI so that `chroma` is on PATH (pip install chromadb), " +
        "or run Chroma elsewhere, in a container say, and configure its host and port.",
    });
  }
  const folder = serversFolder(options);
  const report = progressOf(build, options);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    using lock = await waitForLock(join(folder, "install.lock"), options, () =>
      report("waiting", 0),
    );
    const file = cachedBinding(build, options) ?? (await fetchBuild(build, folder, lock, options));
    report("done", build.installedBytes);
    return file;
  } catch (error) {
    if (error instanceof ServerError || options.signal?.aborted === true) throw error;
    throw installFailed(
      `the cache ${folder} cannot be used`,
      "Check the folder and its disk.",
      error,
    );
  }
}

/** The file of a build that was fetched earlier; undefined when it was not. */
export function cachedBinding(build: PinnedBuild, options: InstallOptions): string | undefined {
  const file = bindingIn(join(serversFolder(options), `${build.package}@${build.version}`), build);
  return existsSync(file) ? file : undefined;
}

async function fetchBuild(
  build: PinnedBuild,
  folder: string,
  _held: KernelLock,
  options: InstallOptions,
): Promise<string> {
  // Whoever left such a folder is dead: its lock is ours.
  for (const name of readdirSync(folder)) {
    if (name.startsWith(TEMPORARY)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  await requireSpace(build, folder);
  const temporary = mkdtempSync(join(folder, TEMPORARY));
  const report = progressOf(build, options);
  const file = bindingIn(temporary, build);
  const ticker = setInterval(() => report("fetching", sizeOf(file)), PROGRESS_MS);
  try {
    report("fetching", 0);
    await writeFile(join(temporary, "package.json"), JSON.stringify(manifestOf(build)));
    await writeFile(join(temporary, "package-lock.json"), JSON.stringify(lockfileOf(build)));
    const outcome = await runNpm(temporary, options.signal);
    options.signal?.throwIfAborted();
    if (outcome !== undefined) throw installFailed(outcome.reason, outcome.hint, outcome.cause);
    report("checking", sizeOf(file));
    const probe = await probeProgram({ kind: "bindings", file });
    if (!probe.runs) {
      throw new ServerError(
        `${build.package}@${build.version} does not run here: ${probe.reason}`,
        {
          code: "SERVER_UNSUPPORTED",
          hint: "Update this system's C library, or run Chroma elsewhere and configure its address.",
        },
      );
    }
    const target = join(folder, `${build.package}@${build.version}`);
    renameSync(temporary, target);
    return bindingIn(target, build);
  } finally {
    clearInterval(ticker);
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function waitForLock(
  path: string,
  options: InstallOptions,
  onWaiting: () => void,
): Promise<KernelLock> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.monotonic() + LOCK_WAIT_MAX_MS;
  for (;;) {
    const lock = KernelLock.tryAcquire(path);
    if (lock !== undefined) return lock;
    if (clock.monotonic() >= deadline) {
      throw installFailed(
        "another process has been fetching it for 15 minutes",
        "End that process, then run: holdfast server install",
      );
    }
    onWaiting();
    await clock.sleep(LOCK_POLL_MS, options.signal);
  }
}

async function requireSpace(build: PinnedBuild, folder: string): Promise<void> {
  const disk = await statfs(folder);
  const free = disk.bavail * disk.bsize;
  if (free >= build.installedBytes) return;
  throw installFailed(
    `it needs ${megabytes(build.installedBytes)} in ${folder}, and ${megabytes(free)} are free`,
    "Free some space, or set HOLDFAST_CACHE_DIR to a folder on another disk.",
  );
}

function installFailed(reason: string, hint: string, cause?: unknown): ServerError {
  return new ServerError(`The Chroma server could not be fetched: ${reason}`, {
    code: "SERVER_INSTALL_FAILED",
    hint,
    cause,
  });
}

function manifestOf(build: PinnedBuild): object {
  return {
    name: "holdfast-server-build",
    version: "0.0.0",
    private: true,
    dependencies: { [build.package]: build.version },
  };
}

/** Names no registry: npm asks the one that its user has configured, and checks the hash. */
function lockfileOf(build: PinnedBuild): object {
  return {
    ...manifestOf(build),
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": manifestOf(build),
      [`node_modules/${build.package}`]: {
        version: build.version,
        integrity: build.integrity,
        cpu: [build.cpu],
        os: ["linux"],
      },
    },
  };
}

function progressOf(
  build: PinnedBuild,
  options: InstallOptions,
): (phase: InstallProgress["phase"], bytes: number) => void {
  return (phase, bytes) =>
    options.onProgress?.({
      phase,
      package: build.package,
      version: build.version,
      bytes,
      bytesTotal: build.installedBytes,
    });
}

function serversFolder(options: InstallOptions): string {
  return join(options.cacheDirectory ?? defaultCacheDirectory(), "servers");
}

function defaultCacheDirectory(): string {
  const own = process.env["HOLDFAST_CACHE_DIR"];
  if (own !== undefined && own !== "") return own;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "holdfast");
  const base = process.env["XDG_CACHE_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".cache") : base, "holdfast");
}

function bindingIn(folder: string, build: PinnedBuild): string {
  const host = build.package.replace("chromadb-js-bindings-", "");
  return join(folder, "node_modules", build.package, `chromadb-js-bindings.${host}.node`);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}
