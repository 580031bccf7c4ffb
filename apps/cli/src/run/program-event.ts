import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { TriggerEvent } from "@holdfast/memory/capture";
import { quotedWords, spoken } from "../triggers/command-line.ts";
import type { ProgramEnd } from "./run-program.ts";

/** A program's run, as it is remembered: the command, how it ended, and what it last complained of. */
export function programEvent(
  words: readonly string[],
  { exitCode, signal, durationMs, stderr }: ProgramEnd,
  workingDirectory: string,
): TriggerEvent {
  const failed = exitCode !== 0;
  const how = signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
  const complaint = stripVTControlCharacters(stderr).trim();
  const head = `${quotedWords(words)} ${how} after ${spoken(durationMs)}`;
  return {
    type: "command",
    text: failed && complaint !== "" ? `${head}\n${complaint}` : head,
    outcome: failed ? "error" : "success",
    durationMs,
    source: "run",
    tags: ["run"],
    metadata: {
      program: basename(words[0] ?? ""),
      directory: workingDirectory,
      ...(exitCode === null ? {} : { exit_status: exitCode }),
      ...(signal === null ? {} : { signal }),
    },
  };
}
