import type { HealthReport, SupervisorEvent } from "@holdfast/recovery";
import type { Output } from "../output.ts";
import { eventLine, screenLines } from "./monitor-text.ts";

/** Where a monitor shows what it sees. */
export interface MonitorView {
  see(event: SupervisorEvent): void;
  note(line: string): void;
  close(): void;
}

/** A line an event, or with `--json` an envelope an event. */
export function lineView(output: Output): MonitorView {
  return {
    see: (event) => {
      const line = eventLine(event, output, Date.now());
      if (output.json || line !== undefined) output.each(event, line ?? "");
    },
    note: (line) => output.note(line),
    close: () => undefined,
  };
}

const REDRAW_MS = 1_000;
const RECENT_MAX = 8;
const ALTERNATE = "\u001B[?1049h\u001B[?25l";
const BACK = "\u001B[?25h\u001B[?1049l";
const HOME = "\u001B[H";
const CLEAR_LINE = "\u001B[K";
const CLEAR_BELOW = "\u001B[J";

/** The whole terminal, drawn anew every second: evidence ages, whether or not anything happens. */
export function screenView(
  output: Output,
  place: string,
  report: () => HealthReport | undefined,
): MonitorView {
  const recent: string[] = [];
  const remember = (line: string): void => {
    recent.push(line);
    if (recent.length > RECENT_MAX) recent.shift();
    draw();
  };
  const draw = (): void => {
    const current = report();
    if (current === undefined) return;
    const rows = process.stdout.rows || 24;
    const width = process.stdout.columns || 80;
    const lines = screenLines(current, { place, recent, output }).slice(0, rows - 1);
    const fitted = lines.map((line) => `${fit(line, width)}${CLEAR_LINE}`).join("\n");
    process.stdout.write(`${HOME}${fitted}\n${CLEAR_BELOW}`);
  };
  process.stdout.write(ALTERNATE);
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  return {
    see: (event) => {
      const line = event.type === "checked" ? undefined : eventLine(event, output, Date.now());
      if (line === undefined) draw();
      else remember(line);
    },
    note: remember,
    close: () => {
      clearInterval(timer);
      process.stdout.write(BACK);
      if (recent.length > 0) process.stdout.write(`${recent.join("\n")}\n`);
    },
  };
}

/** As much of a line as the terminal is wide; colours take no room. */
function fit(line: string, width: number): string {
  let left = width;
  // oxlint-disable-next-line no-control-regex -- colours are control characters
  const pieces = line.split(/(\u001B\[[\d;]*m)/);
  return pieces
    .map((piece) => {
      if (piece.startsWith("\u001B")) return piece;
      const kept = piece.slice(0, left);
      left -= kept.length;
      return kept;
    })
    .join("");
}
