import { basename } from "node:path";
import type { Coverage } from "@holdfast/policy";
import { type Output, printable } from "../output.ts";
import type { SuitesReport } from "./run-suites.ts";
import { counted } from "../counted.ts";

/** Names told of what is not covered; JSON has all of them. */
const MISSING_SHOWN = 20;

/** What the tests of policies found, for people. */
export function suitesText(
  { suites, coverage }: SuitesReport,
  threshold: number | undefined,
  output: Output,
): string {
  const tests = suites.flatMap(({ file, tests: own }) =>
    own.flatMap(({ name, passed, failures }) => [
      `${passed ? output.paint("green", "✓") : output.paint("red", "✗")} ${printable(`${basename(file)}: ${name}`)}`,
      ...failures.map((line) => `    ${printable(line)}`),
    ]),
  );
  const all = suites.flatMap((suite) => suite.tests);
  const failed = all.filter(({ passed }) => !passed).length;
  return [
    ...tests,
    `${counted(all.length, "test")}, ${failed} failed`,
    ...coverageLines(coverage),
    ...(threshold !== undefined && coverage.percent < threshold
      ? [output.paint("red", `Coverage is ${coverage.percent} %, less than ${threshold} %.`)]
      : []),
  ].join("\n");
}

function coverageLines({ rules, conditions, percent }: Coverage): string[] {
  const missing = [
    ...rules.missing.map((name) => `  ${name} never matched`),
    ...conditions.missing.map(({ rule, path, never }) => `  ${rule} ${path} was never ${never}`),
  ];
  const more = missing.length - MISSING_SHOWN;
  return [
    `Coverage ${percent} %: ${rules.covered} of ${rules.total} rules matched, ` +
      `${conditions.covered} of ${conditions.total} conditions were both true and not`,
    ...missing.slice(0, MISSING_SHOWN).map((line) => printable(line)),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
