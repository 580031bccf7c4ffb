import { HoldfastError } from "@holdfast/core";
import { type Finding, formatFinding } from "@holdfast/document";

/**
 * - `CONFIG_INVALID`: the configuration in force has errors; `findings` lists them
 * - `CONFIG_NOT_FOUND`: the named file or deployment does not exist
 * - `CONFIG_UNREADABLE`: the file exists and cannot be read
 * - `CONFIG_KEY_UNKNOWN`: there is no such key
 * - `SECRET_UNAVAILABLE`: an `{env}` or `{file}` reference leads nowhere
 */
export type ConfigErrorCode =
  | "CONFIG_INVALID"
  | "CONFIG_NOT_FOUND"
  | "CONFIG_UNREADABLE"
  | "CONFIG_KEY_UNKNOWN"
  | "SECRET_UNAVAILABLE";

export class ConfigError extends HoldfastError {
  override name = "ConfigError";
  declare readonly code: ConfigErrorCode;
  readonly findings: readonly Finding[];

  constructor(
    message: string,
    options: {
      code: ConfigErrorCode;
      hint: string;
      findings?: readonly Finding[];
      cause?: unknown;
    },
  ) {
    super(message, options);
    this.findings = options.findings ?? [];
  }

  /** The `CONFIG_INVALID` error of findings, of which at least one is an error. */
  static invalid(findings: readonly Finding[]): ConfigError {
    const errors = findings.filter((finding) => finding.severity === "error");
    const first = errors[0] as Finding;
    // A variable and a flag are one line.
    const isFile = !/^(--set |HOLDFAST_)/.test(first.file);
    const place = isFile ? `line ${first.line} of ${first.file}` : first.file;
    return new ConfigError(errors.map(formatFinding).join("\n"), {
      code: "CONFIG_INVALID",
      hint: `Correct ${place}, then run the command again.`,
      findings,
    });
  }
}
