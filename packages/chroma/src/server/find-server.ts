import { accessSync, constants, statSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, isAbsolute, join } from "node:path";
import { cachedBinding, type InstallOptions, installServer } from "./install-server.ts";
import { hostOf, SERVER_BUILDS } from "./server-builds.ts";
import { ServerError } from "./server-error.ts";
import { probeProgram, type ServerProgram } from "./server-program.ts";

export interface FindServerOptions extends InstallOptions {
  /** A command that runs Chroma's CLI, with its first arguments. Nothing else is tried then. */
  command?: readonly string[];
  /** Whether a build may be fetched when none is here. Default true. */
  install?: boolean;
}

/**
 * A Chroma server that runs on this machine, first hit: the configured command, `chroma` on PATH,
 * the official `chromadb` package's own bindings, a build for older C libraries in the user's
 * cache, fetched there once. Nothing is started but a process that says its version.
 * @throws ServerError `SERVER_UNSUPPORTED`, naming what was tried, or `SERVER_INSTALL_FAILED`.
 */
export async function findServer(options: FindServerOptions = {}): Promise<ServerProgram> {
  const tried: string[] = [];
  const attempt = async (
    source: ServerProgram["source"],
    name: string,
    launch: ServerProgram["launch"],
  ): Promise<ServerProgram | undefined> => {
    const result = await probeProgram(launch);
    if (result.runs) return { source, build: { name, version: result.version }, launch };
    tried.push(`${launch.kind === "command" ? launch.argv[0] : name}: ${result.reason}`);
    return undefined;
  };

  if (options.command !== undefined) {
    const launch = { kind: "command", argv: options.command } as const;
    const found = await attempt("command", "chroma", launch);
    if (found !== undefined) return found;
    throw unsupported(tried, "Correct the configured command; it must run Chroma's own CLI.");
  }
  const onPath = executableOnPath("chroma");
  if (onPath !== undefined) {
    const found = await attempt("path", "chroma", { kind: "command", argv: [onPath] });
    if (found !== undefined) return found;
  }
  const own = ownBinding();
  if (own !== undefined) {
    const found = await attempt("package", own.name, { kind: "bindings", file: own.file });
    if (found !== undefined) return found;
  }
  const build = SERVER_BUILDS[hostOf()];
  if (build === undefined) {
    tried.push(`${hostOf()}: no build for older C libraries exists`);
    throw unsupported(tried);
  }
  const file =
    cachedBinding(build, options) ??
    (options.install === false ? undefined : await installServer(options));
  if (file === undefined) {
    tried.push(`${build.package}@${build.version}: it is not installed`);
    throw unsupported(tried, "Fetch it with: holdfast server install");
  }
  const found = await attempt("cache", build.package, { kind: "bindings", file });
  if (found !== undefined) return found;
  throw unsupported(tried);
}

function unsupported(tried: readonly string[], hint?: string): ServerError {
  return new ServerError(`No Chroma server runs on this machine (${tried.join("; ")})`, {
    code: "SERVER_UNSUPPORTED",
    hint:
      hint ??
      "Install the Chroma CLI so that `chroma` is on PATH (pip install chromadb), " +
        "or run Chroma elsewhere, in a container say, and configure its host and port.",
  });
}

/**
 * The first such executable on PATH. Folders of package scripts are left out: what a package
 * manager puts there is the `chromadb` package's own, which is looked up by itself.
 */
function executableOnPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !folder.endsWith(join("node_modules", ".bin")))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return false;
    throw error;
  }
}

/** The bindings that the installed `chromadb` package brought for this platform, if it did. */
function ownBinding(): { name: string; file: string } | undefined {
  const suffix =
    process.platform === "linux" ? "-gnu" : process.platform === "win32" ? "-msvc" : "";
  const name = `chromadb-js-bindings-${process.platform}-${process.arch}${suffix}`;
  try {
    const client = createRequire(import.meta.url).resolve("chromadb");
    return { name, file: createRequire(client).resolve(name) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
