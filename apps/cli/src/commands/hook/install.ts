import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { example } from "../../help.ts";
import { withHooks, withoutHooks } from "../../hook/hook-settings.ts";
import { usage } from "../../selection.ts";
import { replaceFile } from "../../write-new-file.ts";

interface InstallOptions {
  scope: string;
  file?: string;
  command: string;
  undo?: true;
}

const SCOPES = ["project", "local", "user"];

export function register(command: Command, context: Context): void {
  command
    .option("--scope <scope>", `whose settings: ${SCOPES.join(", ")}`, "project")
    .option("--file <file>", "this settings file instead")
    .option("--command <command>", "what the agent is to run", "holdfast hook claude-code")
    .option("--undo", "take the hooks out again, and nothing else")
    .action((options: InstallOptions) => install(options, context));
  example(command, [
    "holdfast hook install",
    "holdfast hook install --scope user",
    "holdfast hook install --undo",
  ]);
}

function install(
  options: InstallOptions,
  { output, workingDirectory, environment }: Context,
): void {
  const file = settingsFile(options, workingDirectory);
  const before = read(file);
  const { text, events } = options.undo
    ? withoutHooks(before, file)
    : withHooks(before, options.command, file);
  if (text !== undefined && text !== before) {
    mkdirSync(dirname(file), { recursive: true });
    const mode = before === undefined ? undefined : statSync(file).mode & 0o777;
    replaceFile(file, text, mode ?? 0o644);
    // Settings may be for others, too, or not: that stays as it is, whatever our mask is.
    if (mode !== undefined) chmodSync(file, mode);
  }
  if (
    !options.undo &&
    !isOnPath("holdfast", environment) &&
    options.command.startsWith("holdfast ")
  )
    output.warn("holdfast is not on the PATH, where the agent will look for it; see --command");
  const done = options.undo ? "Taken out of" : "Added to";
  const none = options.undo ? "There were none in" : "They are in";
  output.result(
    { file, events, undone: options.undo === true },
    events.length === 0 ? `${none} ${file}` : `${done} ${file}: ${events.join(", ")}`,
  );
}

/** Through links: settings are often kept elsewhere. */
function settingsFile({ scope, file }: InstallOptions, workingDirectory: string): string {
  if (!SCOPES.includes(scope))
    throw usage(`${JSON.stringify(scope)} is no scope; they are ${SCOPES.join(", ")}`);
  const folder = scope === "user" ? homedir() : workingDirectory;
  const name = scope === "local" ? "settings.local.json" : "settings.json";
  const path = file === undefined ? join(folder, ".claude", name) : resolve(workingDirectory, file);
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return path;
    throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isOnPath(name: string, environment: NodeJS.ProcessEnv): boolean {
  return (environment["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
