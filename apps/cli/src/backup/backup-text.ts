import { formatDuration } from "@holdfast/core";
import type { PlanSample, RestoreDifference } from "@holdfast/memory";
import { oneLine, roomFor } from "../memory-text.ts";
import { printable } from "../output.ts";
import { counted } from "../counted.ts";

const REFUSED_NAMED_MAX = 10;

/** `1.2 MB` for people. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const value = bytes / 1_000 ** at;
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

export const took = (ms: number): string => formatDuration(Math.max(1, Math.round(ms)));

/** Names records of other programs that the store does not take. */
export function refusedText(ids: readonly string[]): string {
  return `the store does not take ${counted(ids.length, "record")} of other programs (lists need a newer Chroma): ${named(ids)}`;
}

/** Whoever wrote them: of our own, it may have refused some before. */
export function undrilledText(ids: readonly string[]): string {
  return `not drilled: the store does not take ${counted(ids.length, "record")}: ${named(ids)}`;
}

function named(ids: readonly string[]): string {
  const more = ids.length > REFUSED_NAMED_MAX ? ", …" : "";
  return `${ids.slice(0, REFUSED_NAMED_MAX).map(printable).join(", ")}${more}`;
}

/** What a restore would change: counts, and a few of each. */
export function differenceText(difference: RestoreDifference): string[] {
  const { added, changed, removed, unchanged, forgotten, others, samples } = difference;
  const lines = [
    `${added} added, ${changed} changed, ${removed} removed, ${unchanged} unchanged`,
    ...samples.added.map((sample) => sampleText("+", sample)),
    ...samples.changed.map((sample) => sampleText("~", sample)),
    ...samples.removed.map((sample) => sampleText("-", sample)),
  ];
  const gone =
    forgotten === 1 ? "was forgotten since, and stays so" : "were forgotten since, and stay so";
  if (forgotten > 0) lines.push(`${counted(forgotten, "memory")} in it ${gone}`);
  if (others !== undefined && others > 0)
    lines.push(`${counted(others, "record")} of other programs`);
  return lines;
}

function sampleText(mark: string, { id, now, after }: PlanSample): string {
  const room = roomFor(id.length + 12);
  const half = Math.max(10, Math.floor(Math.min(room, 100) / 2));
  const said =
    now !== undefined && after !== undefined
      ? changeText(
          oneLine(now, Number.POSITIVE_INFINITY),
          oneLine(after, Number.POSITIVE_INFINITY),
          half,
        )
      : oneLine(now ?? after ?? "", half * 2);
  return `  ${mark} ${printable(id)}  ${said}`;
}

/** Shown of what comes before the first difference, where its beginning has no room. */
const LEAD = 8;

/** What a memory becomes: from where it differs, if that would be cut off. */
function changeText(now: string, after: string, width: number): string {
  let start = 0;
  while (start < now.length && now[start] === after[start]) start += 1;
  const shown = (text: string): string =>
    start < width - LEAD ? text : `…${text.slice(start - LEAD).replace(/^[\uDC00-\uDFFF]/, "")}`;
  return `${oneLine(shown(now), width)} → ${oneLine(shown(after), width)}`;
}
