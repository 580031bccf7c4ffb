import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";

/** Runs one command line and sets the process's exit status. */
export async function start(argv: readonly string[]): Promise<void> {
  // The question of scripts and humans alike, answered without loading anything.
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  enableCompileCache();
  hideSqliteWarning();
  outliveReaders();
  const { main } = await import("./main.ts");
  await setExitStatus(main(argv));
}

/** Node ends with 0 as soon as nothing keeps it awake, whether `command` has come to its end or not. */
export async function setExitStatus(command: Promise<number>): Promise<void> {
  const endedEarly = (): void => {
    process.stderr.write("error: It ended before it was done, which is a bug: please report it\n");
    process.exitCode = 1;
  };
  process.once("beforeExit", endedEarly);
  process.exitCode = await command;
  process.off("beforeExit", endedEarly);
}

/** This package's version. */
export function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** node:sqlite calls itself experimental before Node 24.15, on the user's stderr. */
function hideSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const isSqlite = String(warning).startsWith("SQLite is an experimental feature");
    if (!isSqlite) (emitWarning as (...all: unknown[]) => void)(warning, ...rest);
  };
}

/** `holdfast memory list | head` closes the pipe early, which is no failure: `main` ends it. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      if (stream === process.stdout)
        process.stderr.write(`error: The answer cannot be written: ${error.message}\n`);
      process.exit(1);
    });
}
