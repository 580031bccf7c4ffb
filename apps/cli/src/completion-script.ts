import type { Command } from "commander";
import { SHORT_FORMS } from "./program.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  word: string;
  description: string;
  /** Of an option that takes a value: what it may be, empty when it may be anything. */
  values?: readonly string[];
}

/** What may follow a command's words: commands and options. */
interface Level {
  /** The words so far, without the program's name; empty at the start. */
  path: string;
  next: Word[];
}

/** A script that completes every command and option of `program` without running it. */
export function completionScript(shell: Shell, program: Command): string {
  const globals = globalWords(program);
  const levels = [...levelsOf(program, "", globals), ...shortLevels(program, globals)];
  if (shell === "bash") return bash(levels);
  return shell === "zsh" ? zsh(levels) : fish(levels);
}

function levelsOf(command: Command, path: string, globals: Word[]): Level[] {
  const children = command.commands;
  const words = [...children, ...(path === "" ? shortForms(command) : [])].map((child) => ({
    word: child.name(),
    description: child.summary(),
  }));
  const values = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((word) => ({ word, description })),
  );
  const own = path === "" ? [] : optionWords(command);
  const level = { path, next: [...words, ...values, ...own, ...globals] };
  const deeper = children.flatMap((child) =>
    levelsOf(child, path === "" ? child.name() : `${path} ${child.name()}`, globals),
  );
  return [level, ...deeper];
}

/** Groups that may be named without the one they are in. */
function shortForms(program: Command): Command[] {
  return [...SHORT_FORMS].flatMap(([name, parent]) =>
    program.commands
      .filter((command) => command.name() === parent)
      .flatMap(({ commands }) => commands.filter((command) => command.name() === name)),
  );
}

const shortLevels = (program: Command, globals: Word[]): Level[] =>
  shortForms(program).flatMap((command) => levelsOf(command, command.name(), globals));

function globalWords(program: Command): Word[] {
  return [...optionWords(program), { word: "--help", description: "show help" }];
}

function optionWords(command: Command): Word[] {
  return command.options
    .filter((option) => option.long !== undefined && option.long !== null)
    .map(({ long, description, required, argChoices }) => ({
      word: long ?? "",
      description,
      ...(required && { values: argChoices ?? [] }),
    }));
}

/** `path option` of every option that takes a value, with what it may be. */
function optionValues(levels: readonly Level[]): [at: string, values: readonly string[]][] {
  return levels.flatMap(({ path, next }) =>
    next.flatMap(({ word, values }): [string, readonly string[]][] =>
      values === undefined ? [] : [[`${slashed(path)} ${word}`, values]],
    ),
  );
}

/** The words of commands typed so far, options and their values left out as far as they show. */
const BASH_PATH = `  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $known " in *" \${path:+$path/}$word "*) path="\${path:+$path/}$word" ;; esac
  done`;

function bash(levels: readonly Level[]): string {
  const known = levels.filter((level) => level.path !== "").map((level) => slashed(level.path));
  const cases = levels.map(
    (level) => `    "${slashed(level.path)}") next="${level.next.map((n) => n.word).join(" ")}" ;;`,
  );
  const values = optionValues(levels).map(
    ([at, each]) => `    "${at}") next="${each.join(" ")}" ;;`,
  );
  return `# bash completion of holdfast
_holdfast() {
  local known="${known.join(" ")}"
${BASH_PATH}
  local next=""
  case "$path" in
${cases.join("\n")}
  esac
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _holdfast holdfast claude-pm
`;
}

function zsh(levels: readonly Level[]): string {
  const known = levels.filter((level) => level.path !== "").map((level) => slashed(level.path));
  const cases = levels.map((level) => {
    const words = level.next.map((n) => quoted(`${n.word}:${n.description}`));
    return `    "${slashed(level.path)}") next=(${words.join(" ")}) ;;`;
  });
  const values = optionValues(levels).map(
    ([at, each]) => `    "${at}") next=(${each.join(" ")}) ;;`,
  );
  return `#compdef holdfast claude-pm
_holdfast() {
  local known=" ${known.join(" ")} " at="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$known" == *" \${at:+$at/}$word "* ]] && at="\${at:+$at/}$word"
  done
  local -a next
  case "$at" in
${cases.join("\n")}
  esac
  case "$at \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  (( $#next )) && _describe 'holdfast' next || _files
}
# Loaded from a folder of fpath, it is being asked already.
if [[ "\${funcstack[1]}" == _holdfast ]]; then _holdfast "$@"; else compdef _holdfast holdfast claude-pm; fi
`;
}

function fish(levels: readonly Level[]): string {
  const known = levels.filter((level) => level.path !== "").map((level) => slashed(level.path));
  const lines = levels.flatMap((level) =>
    level.next.map((next) => {
      const kind = next.word.startsWith("--")
        ? `-l ${next.word.slice(2)}${valuesInFish(next)}`
        : `-a ${next.word}`;
      return `    complete -c $program -n '__holdfast_at "${slashed(level.path)}"' ${kind} -d ${quoted(next.description)}`;
    }),
  );
  return `# fish completion of holdfast
function __holdfast_at
  set -l at ""
  for word in (commandline -opc)[2..]
    set -l longer (string join -- / (string split -n / -- $at) $word)
    contains -- $longer ${known.join(" ")}; and set at $longer
  end
  test "$at" = "$argv[1]"
end
for program in holdfast claude-pm
${lines.join("\n")}
end
`;
}

function valuesInFish({ values }: Word): string {
  if (values === undefined) return "";
  return values.length === 0 ? " -r" : ` -x -a '${values.join(" ")}'`;
}

const slashed = (path: string): string => path.replaceAll(" ", "/");
const quoted = (text: string): string => `'${text.replaceAll("'", "’")}'`;
