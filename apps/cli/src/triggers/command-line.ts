import { type Redact, redactedCut } from "@holdfast/memory/capture";
import type { CommandEntry } from "../catalogue.ts";

const HIDDEN = "…";
const WORD_LENGTH_MAX = 200;

/**
 * A command line as it is remembered. What a command is given to remember or to look for is left
 * out: `forget` must find all there is of a memory in one place.
 */
export function commandLine(
  entry: CommandEntry | undefined,
  argv: readonly string[],
  redact: Redact,
): string {
  const name = entry?.name.split(" ") ?? [];
  const words: string[] = [];
  let named = 0;
  let hideNext = false;
  for (const word of argv) {
    if (named < name.length && word === name[named]) {
      words.push(word);
      named += 1;
    } else if (word.startsWith("-") && word !== "-") {
      const [flag = word, value] = word.split(/=(.*)/s, 2);
      const isContent = CONTENT_FLAGS.has(flag);
      words.push(value === undefined ? word : `${flag}=${isContent ? HIDDEN : value}`);
      hideNext = isContent && value === undefined;
    } else {
      words.push(hideNext || (named === name.length && entry?.content === true) ? HIDDEN : word);
      hideNext = false;
    }
  }
  return quotedWords(["holdfast", ...words], redact);
}

/** Words as a shell would need them, long ones cut. */
export function quotedWords(words: readonly string[], redact: Redact): string {
  return words.map((word) => quoted(redactedCut(word, WORD_LENGTH_MAX, redact))).join(" ");
}

/** A duration for people. */
export function spoken(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

const CONTENT_FLAGS: ReadonlySet<string> = new Set(["--meta", "--where"]);

function quoted(word: string): string {
  return /^[\w./:=@%+,…-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
