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
  /** Its words are what it stores or looks for, so they are not remembered with the command. */
  content?: true;
  /** It remembers for itself, and signals are for the program that it runs. */
  trigger?: "own";
}

export const groups: Readonly<Record<string, string>> = {
  memory: "Remember, recall, forget",
  "memory outbox": "Look after writes that the store has not taken yet",
  "memory quarantine": "What repairs have moved aside, kept until you delete it",
  "memory breaker": "Look at the circuit breaker, and overrule it",
  "memory policy": "Rules that decide what is remembered; also as: holdfast policy",
  "memory config": "What is configured, and by what; also as: holdfast config",
  server: "The Chroma server that Holdfast runs",
  hook: "Let a coding agent remember and be reminded",
};

/** Every command, in the order of the help. Its file is loaded when it runs. */
export const commands: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "Make this folder a workspace: holdfast.yaml and .holdfast/",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "demo",
    summary: "See memory survive a killed server, in under a minute",
    load: () => import("./commands/demo.ts"),
  },
  {
    name: "health",
    summary: "Look at every service, and say what is wrong and what to do",
    load: () => import("./commands/health.ts"),
  },
  {
    name: "memory add",
    summary: "Remember something, and print its receipt",
    load: () => import("./commands/memory/add.ts"),
    content: true,
  },
  {
    name: "memory search",
    summary: "Recall by meaning",
    load: () => import("./commands/memory/search.ts"),
    content: true,
  },
  {
    name: "memory get",
    summary: "Show one memory",
    load: () => import("./commands/memory/get.ts"),
  },
  {
    name: "memory list",
    summary: "List memories, newest first",
    load: () => import("./commands/memory/list.ts"),
  },
  {
    name: "memory forget",
    summary: "Forget memories, by id or by filter",
    load: () => import("./commands/memory/forget.ts"),
  },
  {
    name: "memory prune",
    summary: "Forget what has been kept long enough",
    load: () => import("./commands/memory/prune.ts"),
  },
  {
    name: "memory scan",
    summary: "Look for secrets in what is remembered, and take them out",
    load: () => import("./commands/memory/scan.ts"),
  },
  {
    name: "memory status",
    summary: "Say how memory fares, why, and what to do",
    load: () => import("./commands/memory/status.ts"),
  },
  {
    name: "memory stats",
    summary: "Count and time what was done, across processes",
    load: () => import("./commands/memory/stats.ts"),
  },
  {
    name: "memory rebuild",
    summary: "Make the collection anew from this machine's mirror",
    load: () => import("./commands/memory/rebuild.ts"),
  },
  {
    name: "memory sync",
    summary: "Bring what other programs wrote into this machine's mirror",
    load: () => import("./commands/memory/sync.ts"),
  },
  {
    name: "memory validate",
    summary: "Find what is wrong with a configuration or a policy, to the column",
    load: () => import("./commands/memory/validate.ts"),
  },
  {
    name: "memory generate",
    summary: "Write a commented configuration for an environment",
    load: () => import("./commands/memory/generate.ts"),
  },
  {
    name: "memory deploy",
    summary: "Put a configuration in force for an environment, proved or rolled back",
    load: () => import("./commands/memory/deploy.ts"),
  },
  {
    name: "memory deployments",
    summary: "List what was deployed, when, and how it went",
    load: () => import("./commands/memory/deployments.ts"),
  },
  {
    name: "memory rollback",
    summary: "Go back to an earlier deployment",
    load: () => import("./commands/memory/rollback.ts"),
  },
  {
    name: "memory drift",
    summary: "Say how what is in force differs from what was deployed",
    load: () => import("./commands/memory/drift.ts"),
  },
  {
    name: "memory recover",
    summary: "Find what is wrong with the store, repair it, and prove it",
    load: () => import("./commands/memory/recover.ts"),
  },
  {
    name: "memory quarantine list",
    summary: "List what repairs have moved aside",
    load: () => import("./commands/memory/quarantine/list.ts"),
  },
  {
    name: "memory quarantine prune",
    summary: "Delete what repairs have moved aside",
    load: () => import("./commands/memory/quarantine/prune.ts"),
  },
  {
    name: "memory backup verify",
    summary: "Read a backup to its end; with --drill, restore it into scratch",
    load: () => import("./commands/memory/backup/verify.ts"),
  },
  {
    name: "memory backup list",
    summary: "List the backups there are",
    load: () => import("./commands/memory/backup/list.ts"),
  },
  {
    name: "memory backup prune",
    summary: "Remove backups that retention does not keep",
    load: () => import("./commands/memory/backup/prune.ts"),
  },
  {
    name: "memory backup",
    summary: "Back memories and configuration up; verify, list and prune backups",
    load: () => import("./commands/memory/backup.ts"),
  },
  {
    name: "memory restore",
    summary: "Bring a backup back, or with --undo what that replaced",
    load: () => import("./commands/memory/restore.ts"),
  },
  {
    name: "memory monitor",
    summary: "Watch the store, repair it, and tell people",
    load: () => import("./commands/memory/monitor.ts"),
  },
  {
    name: "memory incidents",
    summary: "List what was repaired, and how",
    load: () => import("./commands/memory/incidents.ts"),
  },
  {
    name: "memory outbox list",
    summary: "List the writes that the store refused",
    load: () => import("./commands/memory/outbox/list.ts"),
  },
  {
    name: "memory outbox retry",
    summary: "Try refused writes again",
    load: () => import("./commands/memory/outbox/retry.ts"),
  },
  {
    name: "memory outbox discard",
    summary: "Give refused writes up",
    load: () => import("./commands/memory/outbox/discard.ts"),
  },
  {
    name: "memory breaker explain",
    summary: "Say why it is as it is, and what would change it",
    load: () => import("./commands/memory/breaker/explain.ts"),
  },
  {
    name: "memory breaker open",
    summary: "Refuse every call to the store until a reset",
    load: () => import("./commands/memory/breaker/open.ts"),
  },
  {
    name: "memory breaker close",
    summary: "Let every call through until a reset",
    load: () => import("./commands/memory/breaker/close.ts"),
  },
  {
    name: "memory breaker reset",
    summary: "Lift orders and start anew, closed",
    load: () => import("./commands/memory/breaker/reset.ts"),
  },
  {
    name: "memory policy list",
    summary: "List the policies, in the order in which they decide",
    load: () => import("./commands/policy/list.ts"),
  },
  {
    name: "memory policy add",
    summary: "Add policies from a file, one file for each rule",
    load: () => import("./commands/policy/add.ts"),
  },
  {
    name: "memory policy remove",
    summary: "Remove a policy, and keep it for undo",
    load: () => import("./commands/policy/remove.ts"),
  },
  {
    name: "memory policy test",
    summary: "Run the tests of policies, or decide on one event",
    load: () => import("./commands/policy/test.ts"),
  },
  {
    name: "memory policy explain",
    summary: "Say what the policies make of an event, and why",
    load: () => import("./commands/policy/explain.ts"),
  },
  {
    name: "memory policy lint",
    summary: "Find policies that cannot mean what they say",
    load: () => import("./commands/policy/lint.ts"),
  },
  {
    name: "memory policy replay",
    summary: "Say which recorded events would be decided differently today",
    load: () => import("./commands/policy/replay.ts"),
  },
  {
    name: "server start",
    summary: "Start Chroma, and keep it running until it is stopped",
    load: () => import("./commands/server/start.ts"),
  },
  {
    name: "server stop",
    summary: "Stop Chroma and its keeper",
    load: () => import("./commands/server/stop.ts"),
  },
  {
    name: "server status",
    summary: "Ask the store, and say how it answers",
    load: () => import("./commands/server/status.ts"),
  },
  {
    name: "server logs",
    summary: "Show the last lines of the server's log",
    load: () => import("./commands/server/logs.ts"),
  },
  {
    name: "server install",
    summary: "Find or fetch a Chroma that runs on this machine",
    load: () => import("./commands/server/install.ts"),
  },
  {
    name: "memory config explain",
    summary: "Say what a key is, and which file, variable or flag decided it",
    load: () => import("./commands/config/explain.ts"),
  },
  {
    name: "memory config import",
    summary: "Bring a configuration of the older layout over, naming what is dropped",
    load: () => import("./commands/config/import.ts"),
  },
  {
    name: "schema",
    summary: "Print the JSON Schema of configurations, policies, or what --json prints",
    load: () => import("./commands/schema.ts"),
  },
  {
    name: "run",
    summary: "Run any program, and remember how it ended",
    trigger: "own",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "hook claude-code",
    summary: "Answer a coding agent's hook: remember, and remind",
    trigger: "own",
    load: () => import("./commands/hook/claude-code.ts"),
  },
  {
    name: "hook install",
    summary: "Add the hook to a coding agent's settings, or take it out again",
    load: () => import("./commands/hook/install.ts"),
  },
  {
    name: "completion",
    summary: "Print a completion script for bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
];
