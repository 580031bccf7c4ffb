/** One thing wrong, or worth a note, in a file. Lines and columns count from 1. */
export interface Finding {
  /** A note needs no correction, however strictly one looks. */
  severity: "error" | "warning" | "note";
  /** Which check found it, in kebab case: `unknown-key`. */
  rule?: string;
  file: string;
  line: number;
  column: number;
  /** Dotted path of the key; empty for the document. */
  path: string;
  message: string;
  /** What would be accepted. */
  expected?: string;
  /** What was probably meant. */
  suggestion?: string;
}

/** `holdfast.yaml:3:12: circuit_breaker.timeout: must be … (expected …; did you mean …?)` */
export function formatFinding(finding: Finding): string {
  const { file, line, column, path, message, expected, suggestion } = finding;
  const where = `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}`;
  const extra = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(suggestion === undefined ? [] : [`did you mean ${suggestion}?`]),
  ];
  return `${where}${message}${extra.length === 0 ? "" : ` (${extra.join("; ")})`}`;
}
