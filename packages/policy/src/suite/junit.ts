import type { TestReport } from "./run-suite.ts";

/** The tests of one file. */
export interface SuiteReport {
  file: string;
  tests: readonly TestReport[];
}

/** Reports as JUnit XML, which build servers show. */
export function junitXml(suites: readonly SuiteReport[]): string {
  const lines = suites.flatMap(({ file, tests }) => [
    `  <testsuite name="${escaped(file)}" ${counts(tests)}>`,
    ...tests.flatMap((test) => testCase(file, test)),
    "  </testsuite>",
  ]);
  const all = suites.flatMap(({ tests }) => tests);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="policies" ${counts(all)}>`,
    ...lines,
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase(file: string, { name, failures }: TestReport): string[] {
  const head = `    <testcase classname="${escaped(file)}" name="${escaped(name)}"`;
  const [first] = failures;
  if (first === undefined) return [`${head}/>`];
  return [
    `${head}>`,
    `      <failure message="${escaped(first)}">${escaped(failures.join("\n"))}</failure>`,
    "    </testcase>",
  ];
}

function counts(tests: readonly TestReport[]): string {
  const failed = tests.filter(({ passed }) => !passed).length;
  return `tests="${tests.length}" failures="${failed}" errors="0" skipped="0"`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** XML has no way at all to write most control characters. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>"\n\t]/g, (character) => ENTITIES[character] ?? "")
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, "\uFFFD");
}
