import type { DescribedCommand, DescribedProgram } from "./described-command.ts";

/** The same as a manual page in troff, for `man holdfast`. */
export function renderManPage({ description, globals, commands }: DescribedProgram): string {
  return [
    ".TH HOLDFAST 1",
    ".SH NAME",
    `holdfast \\- ${plain(description.replace(/\.$/, ""))}`,
    ".SH SYNOPSIS",
    ".B holdfast",
    "[options] <command>",
    ".SH OPTIONS",
    ...globals.flatMap(entry),
    ".SH COMMANDS",
    ...commands.flatMap(section),
    ".SH EXIT STATUS",
    plain("0 ok, 1 failed, 2 usage, 3 degraded or partial, 4 findings, 5 drift, 10 store missing,"),
    plain("11 locked, 12 authentication, 13 unavailable, 14 backup fails verification,"),
    plain(
      "78 the configuration in force is invalid, 126 and 127 run could not start the program, 130 and 143 ended by a signal.",
    ),
    "",
  ].join("\n");
}

function section({ usage, description, options, examples }: DescribedCommand): string[] {
  return [
    `.SS holdfast ${plain(usage)}`,
    plain(description),
    ...options.flatMap(entry),
    ...(examples.length === 0 ? [] : [".PP", ".nf", ...examples.map(plain), ".fi"]),
  ];
}

const entry = ([flags, text]: readonly [string, string]): string[] => [
  ".TP",
  `.B ${plain(flags)}`,
  plain(text),
];

/** A line that begins with a dot or a quote would be a request, and a bare hyphen a dash. */
const plain = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
