import { loadConfig, type LoadedConfig, type LoadOptions } from "@holdfast/config";
import { HoldfastError } from "@holdfast/core";
import { EXIT } from "./exit-codes.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Output } from "./output.ts";
import { userDataDirectory } from "./user-directories.ts";

/** What a command is given besides its own arguments. */
export interface Context {
  readonly output: Output;
  /** Aborted by Ctrl-C and SIGTERM: commands clean up, then let it end them. */
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  /** @throws HoldfastError `FOLDER_REMOVED`. */
  readonly workingDirectory: string;
  /** What the command ends with, when it does not throw. */
  exitStatus: number;
  /** False for `--no-trigger`. */
  readonly trigger: boolean;
  /** What decides which configuration is in force. @throws HoldfastError `FOLDER_REMOVED`. */
  readonly loadOptions: LoadOptions;
  /** The configuration in force, read once; its warnings are told once. */
  config(): LoadedConfig;
  /** What `config` has returned; undefined as long as nobody asked. */
  readonly loaded: LoadedConfig | undefined;
  /** Asks before something is destroyed; returns false for no. */
  confirm(question: string, options: { yes?: boolean | undefined }): Promise<boolean>;
}

export function createContext(
  options: GlobalOptions,
  output: Output,
  signal: AbortSignal,
): Context {
  let loaded: LoadedConfig | undefined;
  const loadOptions = (): LoadOptions => ({
    file: options.config,
    environmentName: options.env,
    settings: options.set,
    environment: process.env,
    workingDirectory: workingDirectory(),
    userDataDirectory: userDataDirectory(),
  });
  const config = (): LoadedConfig => {
    if (loaded !== undefined) return loaded;
    loaded = loadConfig(loadOptions());
    for (const { file, line, path, message, suggestion } of loaded.warnings) {
      const meant = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
      output.warn(`${file}:${line}: ${[path, message].join(" ").trim()}${meant}`);
    }
    return loaded;
  };
  return {
    output,
    signal,
    environment: process.env,
    // Asked for only when it matters: `run` and hooks go on where there is none any more.
    get workingDirectory() {
      return workingDirectory();
    },
    exitStatus: EXIT.ok,
    trigger: options.trigger,
    get loadOptions() {
      return loadOptions();
    },
    config,
    get loaded() {
      return loaded;
    },
    confirm: (question, { yes }) => confirm(question, yes, options.input, signal),
  };
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new HoldfastError("The folder that this is run in was removed", {
      code: "FOLDER_REMOVED",
      hint: "Go to one that is there: cd",
      cause: error,
    });
  }
}

async function confirm(
  question: string,
  yes: boolean | undefined,
  input: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  if (yes) return true;
  if (!input || !process.stdin.isTTY)
    throw new HoldfastError(`${question} Nobody can be asked here`, {
      code: "CONFIRMATION_NEEDED",
      hint: "Run it again with --yes to go ahead.",
    });
  const { createInterface } = await import("node:readline/promises");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // The reader holds the terminal, so Ctrl-C comes to it and not as a signal.
  reader.once("SIGINT", () => process.emit("SIGINT"));
  // Ctrl-D answers nothing, which is no.
  const closed = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([reader.question(`${question} [y/N] `, { signal }), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}
