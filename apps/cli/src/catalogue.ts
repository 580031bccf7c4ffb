import type { Command } from "commander";
import type { Context } from "./context.ts";

/** What a command's file exports: its arguments, options and action, put on a commander command. */
export interface CommandModule {
  register(command: Command, context: Context): void;
}

export interface CommandEntry {
  /** The words that name it, as in `memory add`. */
  name: string;
  summary: string;
  load(): Promise<CommandModule>;
}

export const groups: Readonly<Record<string, string>> = {
  memory: "Remember, recall, forget",
  "memory outbox": "Look after writes that the store has not taken yet",
  server: "The Chroma server that Holdfast runs",
};

/** Every command, in the order of the help. Its file is loaded when it runs. */
export const commands: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "Make this folder a workspace: holdfast.yaml and .holdfast/",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "completion",
    summary: "Print a completion script for bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
];
