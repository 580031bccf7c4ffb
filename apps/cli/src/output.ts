import { stripVTControlCharacters, styleText } from "node:util";
import { HoldfastError } from "@holdfast/core";

export interface OutputOptions {
  /** As in `memory add`; it names the envelope. */
  command: string;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** False for `--no-color`; the streams' own reasons come on top. */
  colour: boolean;
}

type Style = Parameters<typeof styleText>[0];

/**
 * Where a command's words go: the result to stdout, everything else to stderr. With `json`, stdout
 * carries one envelope and nothing else.
 */
export class Output {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly #options: OutputOptions;
  readonly #warnings: string[] = [];
  #answered = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.verbose = options.verbose;
  }

  /** The command's answer, once: as data for programs, as text for people. */
  result(data: unknown, text: string): void {
    if (this.#answered) throw new TypeError("A command answers once");
    this.#answered = true;
    if (this.json) {
      this.#envelope({ ok: true, data, warnings: this.#warnings });
    } else if (text !== "") {
      process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    }
  }

  /** One answer of many, as of a command that goes on: an envelope a line, or a line of text. */
  each(data: unknown, text: string): void {
    this.#answered = true;
    if (this.json) this.#envelope({ ok: true, data, warnings: this.#warnings.splice(0) });
    else if (text !== "") process.stdout.write(`${text}\n`);
  }

  /** Something that went differently from what one might expect, though the command succeeds. */
  warn(message: string): void {
    this.#warnings.push(message);
    if (!this.json) this.#tell(`${this.paint("yellow", "warning:", process.stderr)} ${message}`);
  }

  /** A line of a story that leads up to the result; silenced by `--quiet`. */
  say(line: string): void {
    if (this.#options.quiet) return;
    (this.json ? process.stderr : process.stdout).write(`${line}\n`);
  }

  /** What is happening, for people; silenced by `--quiet`. */
  note(message: string): void {
    if (!this.#options.quiet) this.#tell(message);
  }

  /**
   * What failed, why, and what to do next: the error's own hint, else `next`. A stack only with
   * `--verbose`.
   */
  fail(error: unknown, next?: string): void {
    const code = error instanceof HoldfastError ? error.code : "UNEXPECTED";
    const message = messageOf(error);
    const hint = hintOf(error) ?? next;
    // An answer was given already: a second envelope would not be one.
    if (this.json && !this.#answered) {
      this.#answered = true;
      this.#envelope({ ok: false, error: { code, message, hint }, warnings: this.#warnings });
    } else {
      this.#tell(`${this.paint(["red", "bold"], "error:", process.stderr)} ${message}`);
      if (hint !== undefined) this.#tell(`${this.paint("cyan", "next:", process.stderr)} ${hint}`);
    }
    if (this.verbose) this.#tell(trace(error));
  }

  paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
    return this.colours(stream) ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Whether a stream shows colours: a terminal that can, and nobody said no. */
  colours(stream: NodeJS.WriteStream): boolean {
    if (!this.#options.colour || !stream.isTTY) return false;
    return !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  }

  #tell(message: string): void {
    process.stderr.write(`${message}\n`);
  }

  #envelope(content: Record<string, unknown>): void {
    const schema = `holdfast/${this.#options.command.replaceAll(" ", "-")}/v1`;
    process.stdout.write(`${JSON.stringify({ schema, ...content })}\n`);
  }
}

/** Text that cannot steer a terminal: control characters but line breaks and tabs are shown. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    if (character === "\n" || character === "\t") return character;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Columns of the terminal; without bound for a pipe, and where the terminal does not say. */
export function terminalWidth(): number {
  const width = process.stdout.isTTY ? process.stdout.columns : 0;
  return width > 0 ? width : Number.POSITIVE_INFINITY;
}

const GAP = "  ";
/** Narrower than this, a last column is no place to read in. */
export const LAST_COLUMN_MIN = 24;

/**
 * Columns aligned by their widest cell, two blanks apart. On a terminal that is too narrow the last
 * one is wrapped, or whatever finds no room goes on in further lines.
 */
export function columns(
  rows: readonly (readonly string[])[],
  room: number = terminalWidth(),
): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries())
      widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  const lead = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const fits = room - lead >= Math.min(widths.at(-1) ?? 0, LAST_COLUMN_MIN);
  return rows
    .map((row) => {
      const cells = row.map(
        (cell, index) => cell + " ".repeat((widths[index] ?? 0) - widthOf(cell)),
      );
      if (!fits) return flowed(cells, room);
      const last = cells.length === widths.length ? cells.pop()?.trimEnd() : undefined;
      return [...cells, ...(last === undefined ? [] : [wrapped(last, room, lead)])]
        .join(GAP)
        .trimEnd();
    })
    .join("\n");
}

/** Padded cells in as many lines as it takes; equal widths break every row at the same cell. */
function flowed(cells: readonly string[], room: number): string {
  const lines: string[] = [];
  for (const cell of cells) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(cell);
    else if (widthOf(line) + GAP.length + widthOf(cell) <= room)
      lines.push(`${lines.pop()}${GAP}${cell}`);
    else lines.push(`${GAP}${wrapped(cell.trimEnd(), room, GAP.length).padEnd(widthOf(cell))}`);
  }
  return lines
    .map((line) => line.trimEnd())
    .filter((line, at) => line !== "" || at === 0)
    .join("\n");
}

/** Text from column `indent` on, broken between words; a word is never broken: it may be a path. */
function wrapped(text: string, room: number, indent: number): string {
  if (widthOf(text) <= room - indent) return text;
  let width = 0;
  return text
    .split(" ")
    .map((word, at) => {
      const isNewLine = at > 0 && width + 1 + widthOf(word) > room - indent;
      width = isNewLine || at === 0 ? widthOf(word) : width + 1 + widthOf(word);
      if (isNewLine) return `\n${" ".repeat(indent)}${word}`;
      return at === 0 ? word : ` ${word}`;
    })
    .join("");
}

/** Columns that a text takes; colours take none. */
const widthOf = (text: string): number =>
  (text.includes("\u001B") ? stripVTControlCharacters(text) : text).length;

/** An error in one line of words; of a bug, that it is one. */
export function messageOf(error: unknown): string {
  if (error instanceof HoldfastError) return printable(error.message);
  const text = error instanceof Error ? error.message : String(error);
  return `Unexpected: ${printable(text)}`;
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof HoldfastError) return error.hint;
  return "Run it again with --verbose, and report what it prints.";
}

function trace(error: unknown): string {
  const lines: string[] = [];
  let at = error;
  while (at instanceof Error && lines.length < 8) {
    lines.push(at.stack ?? at.message);
    at = at.cause;
  }
  return lines.join("\ncaused by: ");
}
