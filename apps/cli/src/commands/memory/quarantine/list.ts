import type { Command } from "commander";
import { listQuarantine, type QuarantineEntry } from "@holdfast/chroma";
import type { Context } from "../../../context.ts";
import { example } from "../../../help.ts";
import { managedDirectory } from "../../../managed-directory.ts";
import { columns, printable } from "../../../output.ts";

export function register(command: Command, context: Context): void {
  command.action(() => list(context));
  example(command, ["holdfast memory quarantine list"]);
}

function list(context: Context): void {
  const entries = listQuarantine(managedDirectory(context));
  context.output.result({ entries }, entries.length === 0 ? "Nothing is kept." : text(entries));
}

function text(entries: readonly QuarantineEntry[]): string {
  const rows = entries.map(({ name, bytes, reason }) => [
    name,
    `${(bytes / 1_000_000).toFixed(1)} MB`,
    printable(reason),
  ]);
  return columns([["NAME", "SIZE", "WHY"], ...rows]);
}
