import type { Finding } from "@holdfast/config";
import { formatFinding } from "@holdfast/config";
import { type Output, printable } from "../output.ts";

const COLOURS = { error: "red", warning: "yellow", note: "cyan" } as const;
const WIDTH = 100;

/** Findings for people: each with the line that it speaks of and a mark under the place. */
export function findingText(
  findings: readonly Finding[],
  texts: ReadonlyMap<string, string>,
  output: Output,
): string {
  const lines = new Map([...texts].map(([file, text]) => [file, text.split(/\r?\n/)] as const));
  const hidden = new Set(
    findings
      .filter(({ rule }) => rule === "secret-in-file")
      .map((one) => `${one.file}:${one.line}`),
  );
  return findings
    .map((finding) => {
      const { severity, file, line } = finding;
      const head = output.paint(COLOURS[severity], severity);
      // A line with a secret in it is not shown, whatever else is wrong with it.
      const source = hidden.has(`${file}:${line}`) ? undefined : lines.get(file)?.[line - 1];
      const told = [formatFinding(finding), ...frame(source, finding)].join("\n");
      return `${head}: ${printable(told)}`;
    })
    .join("\n\n");
}

function frame(source: string | undefined, { line, column }: Finding): string[] {
  if (source === undefined || source.trim() === "") return [];
  const from = Math.max(0, column - WIDTH / 2);
  // A tab is as wide as it is elsewhere, and the mark must stand under its place.
  const shown = source.slice(from, from + WIDTH).replaceAll("\t", " ");
  const gutter = String(line);
  const mark = " ".repeat(Math.max(0, column - 1 - from));
  return [`  ${gutter} | ${shown}`, `  ${" ".repeat(gutter.length)} | ${mark}^`];
}
