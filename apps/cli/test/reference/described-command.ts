import type { Command } from "commander";
import { commands } from "../../src/catalogue.ts";
import { createContext } from "../../src/context.ts";
import { globalOptions } from "../../src/global-options.ts";
import { Output } from "../../src/output.ts";
import { buildProgram } from "../../src/program.ts";

/** A command as its own help describes it. */
export interface DescribedCommand {
  /** `memory add <text>`, without the program's name. */
  usage: string;
  name: string;
  description: string;
  examples: readonly string[];
  options: readonly (readonly [flags: string, description: string])[];
}

export interface DescribedProgram {
  description: string;
  globals: DescribedCommand["options"];
  commands: readonly DescribedCommand[];
}

export async function describeProgram(): Promise<DescribedProgram> {
  const options = globalOptions([]);
  const output = new Output({ ...options, command: "holdfast" });
  const context = createContext(options, output, new AbortController().signal);
  const program = await buildProgram(commands, context);
  return {
    description: program.description(),
    globals: optionsOf(program),
    commands: commands.map(({ name }) => {
      const command = find(program, name.split(" "));
      const usage = command.usage().replace("[options]", "").replaceAll(/\s+/g, " ").trim();
      return {
        name,
        usage: `${name} ${usage}`.trim(),
        description: command.description(),
        examples: examplesOf(command),
        options: optionsOf(command),
      };
    }),
  };
}

function find(program: Command, path: readonly string[]): Command {
  return path.reduce((parent, word) => {
    const command = parent.commands.find((each) => each.name() === word);
    if (command === undefined) throw new Error(`There is no command ${path.join(" ")}`);
    return command;
  }, program);
}

const optionsOf = (command: Command): DescribedCommand["options"] =>
  command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description, defaultValue, defaultValueDescription, argChoices }) => {
      const choices = argChoices === undefined ? "" : ` (${argChoices.join(", ")})`;
      const isTold = defaultValue !== undefined && !Array.isArray(defaultValue);
      const told = isTold ? ` (default ${defaultValueDescription ?? String(defaultValue)})` : "";
      return [flags, description + choices + told];
    });

/** They stand in the text of the help alone. */
function examplesOf(command: Command): readonly string[] {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help
    .split("\n")
    .filter((line) => line.startsWith("  $ "))
    .map((line) => line.slice("  $ ".length));
}
