import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { formatFinding } from "@holdfast/document";
import {
  type Coverage,
  CoverageMeter,
  createRuleset,
  loadPolicies,
  parsePolicyText,
  parseSuite,
  PolicyError,
  type Ruleset,
  runSuite,
  type SuiteReport,
} from "@holdfast/policy";
import { namedText } from "../named-file.ts";
import type { PolicyPlace } from "./policy-place.ts";

export interface SuitesReport {
  passed: boolean;
  suites: readonly SuiteReport[];
  /** Of the rules that the suites are for. */
  coverage: Coverage;
}

const SUITE = {
  code: "USAGE",
  hint: "Name a file of tests, as policies/secrets.policytest.yaml.",
};

const RULES = { code: "POLICY_UNREADABLE", hint: "Make it readable UTF-8 text." };

const SUITE_FILE = /^[^.].*\.policytest\.(ya?ml|json)$/;

/** The files of tests in a folder, sorted; none when there is no such folder. */
export function suiteFilesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => SUITE_FILE.test(name))
      .toSorted()
      .map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/**
 * Runs suites, each against the rules that it names, else against those in force.
 * @throws PolicyError for rules that are invalid. A suite that is invalid is a failed test.
 */
export function runSuites(files: readonly string[], place: PolicyPlace): SuitesReport {
  const rulesets = new Map<string, { ruleset: Ruleset; meter: CoverageMeter }>();
  const under = (path: string): { ruleset: Ruleset; meter: CoverageMeter } => {
    const known = rulesets.get(path) ?? measured(rulesetAt(path));
    rulesets.set(path, known);
    return known;
  };
  const { timezone, seed } = place;
  const suites = files.map((file): SuiteReport => {
    const { suite, findings } = parseSuite(namedText(file, SUITE), file);
    if (suite === undefined)
      return {
        file,
        tests: [{ name: "is a suite", passed: false, failures: findings.map(formatFinding) }],
      };
    const own = suite.policies === undefined ? undefined : resolve(dirname(file), suite.policies);
    const { ruleset, meter } = under(own ?? place.directory);
    return { file, tests: runSuite(suite, ruleset, { meter, timezone, seed }) };
  });
  const passed = suites.every(({ tests }) => tests.every((test) => test.passed));
  const coverage = together([...rulesets.values()].map(({ meter }) => meter.coverage));
  return { passed, suites, coverage };
}

const measured = (ruleset: Ruleset): { ruleset: Ruleset; meter: CoverageMeter } => ({
  ruleset,
  meter: new CoverageMeter(ruleset),
});

/** The rules of a folder, or of one file. */
function rulesetAt(path: string): Ruleset {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    return loadPolicies(path).ruleset;
  const { rules, findings } = parsePolicyText(namedText(path, RULES), { file: path });
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return createRuleset(rules);
  throw new PolicyError(errors.map(formatFinding).join("\n"), {
    code: "POLICY_INVALID",
    hint: "Correct the rules, then test them.",
    findings,
  });
}

/** The least covered ruleset decides. */
function together(all: readonly Coverage[]): Coverage {
  const sum = <T>(parts: readonly { total: number; covered: number; missing: readonly T[] }[]) => ({
    total: parts.reduce((count, { total }) => count + total, 0),
    covered: parts.reduce((count, { covered }) => count + covered, 0),
    missing: parts.flatMap(({ missing }) => missing),
  });
  return {
    rules: sum(all.map(({ rules }) => rules)),
    conditions: sum(all.map(({ conditions }) => conditions)),
    percent: Math.min(100, ...all.map(({ percent }) => percent)),
  };
}
