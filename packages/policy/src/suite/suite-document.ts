import {
  checkSchema,
  type Finding,
  parseYaml,
  plainData,
  positionAt,
  type Schema,
  YamlError,
} from "@holdfast/document";
import { durationMs } from "@holdfast/core";
import { isTimezone } from "../evaluate/time-of-day.ts";
import type { PolicyEvent } from "../policy-event.ts";
import { eventProperties } from "./event-schema.ts";
import { violationFindings } from "./violation-findings.ts";

/** What an event of a test is expected to come to; only what is stated is compared. */
export interface Expectation {
  decision?: "allow" | "abort";
  /** The rule that aborts. */
  aborted_by?: string;
  /** These rules match, and no others; in any order. */
  matched?: string[];
  /** These do not match. */
  not_matched?: string[];
  /** The types of what is done, in order, and nothing else. */
  effects?: string[];
}

export interface SuiteStep {
  /** Since the start of the test, in seconds or as `90s`. Default: as the step before. */
  at?: number | string;
  event: Partial<PolicyEvent>;
  expect: Expectation;
}

export interface SuiteTest {
  name: string;
  /** ISO 8601. Default: the suite's. */
  start?: string;
  events: SuiteStep[];
}

/** A document of tests. */
export interface Suite {
  /** A file or folder of rules, relative to the suite's file. Default: the rules in force. */
  policies?: string;
  /** Default UTC. */
  timezone?: string;
  /** Default empty. */
  seed?: string;
  /** When each test begins. Default 2026-01-15T12:00:00Z. */
  start?: string;
  tests: SuiteTest[];
}

const INSTANT = "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)$";
const start: Schema & { description: string } = {
  type: "string",
  pattern: INSTANT,
  description: "a time such as 2026-01-15T12:00:00Z",
};
const name: Schema = { type: "string", minLength: 1, maxLength: 255 };
const names: Schema = { type: "array", items: name };

const expectation: Schema = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  properties: {
    decision: { type: "string", enum: ["allow", "abort"] },
    aborted_by: name,
    matched: names,
    not_matched: names,
    effects: names,
  },
};

const step: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["event", "expect"],
  properties: {
    at: { type: ["number", "string"], minimum: 0, pattern: "^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)?$" },
    event: { type: "object", additionalProperties: false, properties: eventProperties },
    expect: expectation,
  },
};

const suiteSchema: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["tests"],
  properties: {
    policies: { type: "string", minLength: 1 },
    timezone: { type: "string", minLength: 1 },
    seed: { type: "string" },
    start,
    tests: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name", "events"],
        properties: { name, start, events: { type: "array", minItems: 1, items: step } },
      },
    },
  },
};

/** Reads a suite; it is undefined when something is wrong with it. */
export function parseSuite(
  text: string,
  file: string,
): { suite: Suite | undefined; findings: readonly Finding[] } {
  try {
    const root = parseYaml(text);
    const violations = checkSchema(root, suiteSchema);
    const findings = violationFindings(violations, text, file);
    if (findings.length > 0) return { suite: undefined, findings };
    const suite = plainData(root) as Suite;
    const faults = suiteFaults(suite).map((fault) => ({
      severity: "error" as const,
      file,
      ...positionAt(text, root.offset),
      ...fault,
    }));
    return { suite: faults.length === 0 ? suite : undefined, findings: faults };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { message, offset, expected } = error;
    const stated = expected === undefined ? {} : { expected };
    const place = { severity: "error" as const, file, ...positionAt(text, offset), path: "" };
    return { suite: undefined, findings: [{ ...place, message, ...stated }] };
  }
}

function suiteFaults(suite: Suite): { path: string; message: string; expected: string }[] {
  const faults = [];
  if (suite.timezone !== undefined && !isTimezone(suite.timezone))
    faults.push({
      path: "timezone",
      message: `${suite.timezone} is no timezone`,
      expected: "an IANA name, as Europe/Berlin",
    });
  const starts = [suite.start, ...suite.tests.map((test) => test.start)];
  for (const text of starts)
    if (text !== undefined && Number.isNaN(Date.parse(text)))
      faults.push({ path: "start", message: `${text} is no time`, expected: start.description });
  const seen = new Set<string>();
  for (const [index, test] of suite.tests.entries()) {
    if (seen.has(test.name))
      faults.push({
        path: `tests[${index}].name`,
        message: `${test.name} is the name of an earlier test`,
        expected: "a name for each test",
      });
    seen.add(test.name);
  }
  return faults;
}

const START = Date.UTC(2026, 0, 15, 12);

/** When a test begins, in wall-clock milliseconds. */
export function startOf(suite: Suite, test: SuiteTest): number {
  const text = test.start ?? suite.start;
  return text === undefined ? START : Date.parse(text);
}

/** A step's milliseconds after the start of its test. */
export function offsetOf(written: number | string): number {
  return durationMs(written);
}
