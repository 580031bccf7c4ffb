import { formatDuration } from "@holdfast/core";
import type { Durability, RecallSource, Scope } from "@holdfast/memory";
import { counted } from "./counted.ts";
import { LAST_COLUMN_MIN, type Output, printable, terminalWidth } from "./output.ts";

/** One line of a memory's text, short enough for a list. */
export function oneLine(text: string, width: number): string {
  const line = printable(text.replaceAll(/\s+/g, " ").trim());
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** Columns left for text beside `taken` others. */
export function roomFor(taken: number): number {
  return Math.max(20, terminalWidth() - taken);
}

/** As `roomFor`; where that is too little to read in, what a line of its own has. */
export function roomBeside(taken: number): number {
  const beside = roomFor(taken);
  return beside < LAST_COLUMN_MIN ? roomFor(2) : beside;
}

/** `user ada · agent coder · #tag`; empty when the memory belongs to nobody in particular. */
export function belongings(scope: Scope, tags: readonly string[]): string {
  const parts = Object.entries(scope).map(([key, value]) => `${key} ${String(value)}`);
  return printable([...parts, ...tags.map((tag) => `#${tag}`)].join(" · "));
}

/** A moment in the local time of whoever reads. */
export function moment(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19).replace("T", " ");
}

export function paintDurability(output: Output, durability: Durability): string {
  const colour = ({ stored: "green", queued: "yellow", dead: "red" } as const)[durability];
  return output.paint(colour, durability);
}

/** Says what a reader must know about where an answer came from. */
export function warnOfSource(output: Output, source: RecallSource): void {
  if (source.degraded) {
    const age =
      source.ageMs === undefined
        ? "the store has never answered here"
        : `the store last answered ${formatDuration(source.ageMs)} ago`;
    const why = source.reason === undefined ? "" : ` (${source.reason})`;
    output.warn(
      `degraded: answered from this machine's mirror${why}; ${age}. See why: holdfast memory status`,
    );
  } else if (source.queued > 0) {
    const [are, them] = source.queued === 1 ? ["is", "it"] : ["are", "them"];
    output.warn(
      `${counted(source.queued, "accepted memory")} ${are} not in the store yet, where this search cannot find ${them}`,
    );
  }
}
