import { resolve } from "node:path";
import { type Evaluation, junitXml, loadPolicies, type PolicyEvent } from "@holdfast/policy";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { example } from "../../help.ts";
import { evaluateDry } from "../../policy/dry-evaluation.ts";
import { evaluationText } from "../../policy/evaluation-text.ts";
import { eventFromFile } from "../../policy/event-argument.ts";
import { findRule, placedRules } from "../../policy/policy-files.ts";
import { policyPlaceOf } from "../../policy/policy-place.ts";
import { runSuites, suiteFilesIn, type SuitesReport } from "../../policy/run-suites.ts";
import { suitesText } from "../../policy/suites-text.ts";
import { usage } from "../../selection.ts";
import { writeTo } from "../../write-new-file.ts";

interface TestOptions {
  context?: string;
  rule?: string;
  output?: string;
  coverageThreshold?: number;
  junit?: string;
}

export function register(command: Command, context: Context): void {
  command
    .argument("[suite...]", "files of tests; default: every *.policytest.yaml beside the policies")
    .option("--context <file>", "an event to decide on, without doing anything")
    .option("--rule <name>", "with --context: only what this rule says")
    .option("--output <file>", "write the whole answer there as JSON")
    .option("--coverage-threshold <percent>", "fail when the tests cover less", percent)
    .option("--junit <file>", "write the tests' outcome there as JUnit XML")
    .action((suites: string[], options: TestOptions) => test(suites, options, context));
  example(command, [
    "holdfast memory policy test --coverage-threshold 80 --junit policies.xml",
    "holdfast memory policy test --context event.json --rule no-secrets",
  ]);
}

function test(suites: string[], options: TestOptions, context: Context): void {
  if (options.context === undefined) testSuites(suites, options, context);
  else testContext(options.context, suites, options, context);
}

function testContext(
  file: string,
  suites: readonly string[],
  options: TestOptions,
  context: Context,
): void {
  if (suites.length > 0 || options.junit !== undefined || options.coverageThreshold !== undefined)
    throw usage(
      "--context decides on one event; suites, --junit and --coverage-threshold run tests",
    );
  const place = policyPlaceOf(context);
  const { ruleset } = loadPolicies(place.directory);
  const { rule } = options;
  if (rule !== undefined) findRule(placedRules(place), rule);
  const event = eventFromFile(resolve(context.workingDirectory, file));
  const whole = evaluateDry(ruleset, event, place);
  const shown = rule === undefined ? whole : onlyOf(rule, whole);
  const data = dataOf(event, shown);
  write(options.output, json(data), context);
  context.output.result(data, evaluationText(event, shown, context.output));
}

/** The decision is that of all rules: another one may have aborted before. */
function onlyOf(name: string, evaluation: Evaluation): Evaluation {
  return {
    ...evaluation,
    effects: evaluation.effects.filter(({ rule }) => rule === name),
    trace: evaluation.trace.filter(({ rule }) => rule === name),
  };
}

function dataOf(event: PolicyEvent, { decision, effects, trace }: Evaluation): object {
  return { event, decision, effects, rules: trace };
}

function testSuites(given: readonly string[], options: TestOptions, context: Context): void {
  if (options.rule !== undefined) throw usage("--rule needs an event", "Give one: --context FILE");
  const place = policyPlaceOf(context);
  const files =
    given.length > 0
      ? given.map((file) => resolve(context.workingDirectory, file))
      : suiteFilesIn(place.directory);
  if (files.length === 0)
    throw usage(
      `There is no *.policytest.yaml in ${place.directory}`,
      "Write one, or decide on one event with --context FILE.",
    );
  const report = runSuites(files, place);
  const { coverageThreshold: threshold, junit } = options;
  const isCovered = threshold === undefined || report.coverage.percent >= threshold;
  if (!report.passed || !isCovered) context.exitStatus = EXIT.findings;
  write(junit, junitXml(report.suites), context);
  const data: SuitesReport & { threshold?: number } =
    threshold === undefined ? report : { ...report, threshold };
  write(options.output, json(data), context);
  context.output.result(data, suitesText(report, threshold, context.output));
}

const json = (data: object): string => `${JSON.stringify(data, null, 2)}\n`;

function write(file: string | undefined, text: string, { workingDirectory }: Context): void {
  if (file === undefined) return;
  writeTo(resolve(workingDirectory, file), text, { force: true, mode: 0o600 });
}

function percent(text: string): number {
  const number = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (number <= 100) return number;
  throw usage(`${JSON.stringify(text)} is not a percentage from 0 to 100`);
}
