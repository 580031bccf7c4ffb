import { Command, type CommanderError } from "commander";
import { HoldfastError } from "@holdfast/core";
import { type CommandEntry, commands, groups } from "./catalogue.ts";
import type { Context } from "./context.ts";
import { commandWords, GLOBAL_OPTIONS, takesNext } from "./global-options.ts";
import { example } from "./help.ts";

/**
 * The command line as commander sees it. `loaded` commands have their options and action; `named`
 * ones only a place: all of them, unless what is to be run is known, since that alone matters then.
 */
export async function buildProgram(
  loaded: readonly CommandEntry[],
  context: Context,
  named: readonly CommandEntry[] = commands,
): Promise<Command> {
  const program = new Command("holdfast")
    .description("Reliable memory for AI agents, on Chroma.")
    .usage("[options] <command>");
  for (const [flags, description] of GLOBAL_OPTIONS) program.option(flags, description);
  program.option("-V, --version", "print the version");
  strict(program);
  example(program, ["holdfast init", 'holdfast memory add "The build needs Node 24"']);
  for (const entry of named) {
    const command = commandAt(program, entry.name).summary(entry.summary);
    command.description(`${entry.summary}.`);
    if (loaded.includes(entry)) (await entry.load()).register(command, context);
  }
  return program;
}

/** Groups that may be named without the one they are in: `policy list` is `memory policy list`. */
export const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ["policy", "memory"],
  ["config", "memory"],
]);

/** An argument list with every group named in full, and a `help` in it as `--help` behind it. */
export function inFull(argv: readonly string[]): readonly string[] {
  if (argv[0] === "help") return helpOf(inFull(argv.slice(1)));
  const [first = ""] = commandWords(argv);
  const group = SHORT_FORMS.get(first);
  const full = group === undefined ? argv : argv.toSpliced(placeOf(first, argv), 0, group);
  return asksGroup(full) ? [...full.toSpliced(placeOf("help", full), 1), "--help"] : full;
}

function placeOf(wanted: string, argv: readonly string[]): number {
  return argv.findIndex((word, place) => word === wanted && !takesNext(argv[place - 1]));
}

/** Whether `help` stands behind a group, as in `memory help add`; `memory add help` is a text. */
function asksGroup(argv: readonly string[]): boolean {
  const words = commandWords(argv);
  const group = words.slice(0, words.indexOf("help")).join(" ");
  return words.includes("help") && commands.some(({ name }) => name.startsWith(`${group} `));
}

/** A first word that names nothing stays alone, to be refused: with `--help` it would not be. */
function helpOf(words: readonly string[]): readonly string[] {
  const [first] = words;
  const isKnown = commands.some(({ name }) => name.split(" ")[0] === first);
  return isKnown || first === undefined ? [...words, "--help"] : [first];
}

/** The command that the leading words of an argument list name, if they name one. */
export function entryOf(argv: readonly string[]): CommandEntry | undefined {
  const words = commandWords(argv);
  return commands.find((entry) => entry.name.split(" ").every((word, at) => words[at] === word));
}

/** A command and those below it, which its help lists. */
export function familyOf({ name }: CommandEntry): CommandEntry[] {
  return commands.filter((entry) => `${entry.name} `.startsWith(`${name} `));
}

/** What commander found wrong with the command line, as an error with a next command. */
export function usageError(error: CommanderError, argv: readonly string[]): HoldfastError {
  const [message = "", meant] = error.message
    .replace(/^error: /, "")
    .trim()
    .split("\n(Did you mean ");
  const help = helpCommand(argv);
  if (error.code === "commander.help")
    return new HoldfastError("No command was given", { code: "USAGE", hint: help, cause: error });
  return new HoldfastError(message, {
    code: "USAGE",
    hint: meant === undefined ? help : `Did you mean ${meant.replace(/\)$/, "")} See: ${help}`,
    cause: error,
  });
}

/** The help of the command, or of the group, that an argument list comes nearest to. */
export function helpCommand(argv: readonly string[]): string {
  const path: string[] = [];
  for (const word of commandWords(argv)) {
    const longer = [...path, word].join(" ");
    if (!commands.some((entry) => `${entry.name} `.startsWith(`${longer} `))) break;
    path.push(word);
  }
  return ["holdfast", ...path, "--help"].join(" ");
}

function commandAt(program: Command, name: string): Command {
  let parent = program;
  const path: string[] = [];
  for (const word of name.split(" ")) {
    path.push(word);
    const existing = parent.commands.find((command) => command.name() === word);
    parent = existing ?? addCommand(parent, word, path.join(" "));
  }
  return parent;
}

function addCommand(parent: Command, word: string, path: string): Command {
  const command = parent.command(word);
  const group = groups[path];
  if (group !== undefined) command.description(`${group}.`).summary(group);
  strict(command);
  return command;
}

/** Commander throws instead of exiting, and leaves errors to be told by `main`. */
function strict(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortOptions: false, minWidthToWrap: 16 })
    .configureOutput({ outputError: () => undefined });
}
