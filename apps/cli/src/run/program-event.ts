import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Redact, TriggerEvent } from "@holdfast/memory/capture";
import { quotedWords, spoken } from "../triggers/command-line.ts";
import type { ProgramEnd } from "./run-program.ts";

/** A program's run, as it is remembered: the command, how it ended, and what it last complained of. */
export function programEvent(
  words: readonly string[],
  { exitCode, signal, durationMs, stderr }: ProgramEnd,
  {
    directory,
    stderrBytesMax,
    redact,
  }: { directory: string; stderrBytesMax: number; redact: Redact },
): TriggerEvent {
  const failed = exitCode !== 0;
  const how = signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
  // Redacted before it is cut: half a secret is one that no pattern knows.
  const complaint = redact(stripVTControlCharacters(stderr)).trim().slice(-stderrBytesMax);
  const head = `${quotedWords(words, redact)} ${how} after ${spoken(durationMs)}`;
  return {
    type: "command",
    text: failed && complaint !== "" ? `${head}\n${complaint}` : head,
    outcome: failed ? "error" : "success",
    durationMs,
    source: "run",
    tags: ["run"],
    metadata: {
      program: basename(words[0] ?? ""),
      directory,
      ...(exitCode === null ? {} : { exit_status: exitCode }),
      ...(signal === null ? {} : { signal }),
    },
  };
}
