import { relative } from "node:path";
import type { Finding } from "@holdfast/config";
import { messageOf } from "./sarif.ts";

const LEVELS = { error: "error", warning: "warning", note: "notice" } as const;

/** Findings as workflow commands of GitHub Actions, which shows each beside its line. */
export function githubCommands(findings: readonly Finding[], root: string): string {
  return findings
    .map((finding) => {
      const { severity, file, line, column, rule = "invalid" } = finding;
      const properties = Object.entries({
        file: relative(root, file),
        line,
        col: column,
        title: rule,
      })
        .map(([name, value]) => `${name}=${property(String(value))}`)
        .join(",");
      return `::${LEVELS[severity]} ${properties}::${data(messageOf(finding))}`;
    })
    .join("\n");
}

/** As the runner reads them: a line break would end the command. */
const data = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
