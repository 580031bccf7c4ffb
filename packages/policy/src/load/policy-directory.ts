import { isUtf8 } from "node:buffer";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, formatFinding } from "@holdfast/document";
import { Ruleset } from "../evaluate/ruleset.ts";
import { PolicyError } from "../policy-error.ts";
import type { PolicyRule } from "../rule.ts";
import { findingsBetween, readDocument } from "./read-document.ts";

/** A file of the directory of policies. */
export interface PolicyFile {
  /** Absolute, if the directory is. */
  path: string;
  /** As written; in force only if nothing in the directory is wrong. */
  rules: readonly PolicyRule[];
}

export interface PolicyDirectory {
  files: readonly PolicyFile[];
  /** By file, then by line. */
  findings: readonly Finding[];
}

const POLICY_FILE = /^[^.].*\.(ya?ml|json)$/;
const SUITE_FILE = /\.policytest\.(ya?ml|json)$/;

/**
 * Every rule of the directory's files, in force together; no rule when there is no directory.
 * @throws PolicyError `POLICY_INVALID` with every finding, `POLICY_UNREADABLE`.
 */
export function loadPolicies(directory: string): {
  ruleset: Ruleset;
  /** Notes about what is accepted. */
  warnings: readonly Finding[];
} {
  const { files, findings } = readPolicies(directory);
  const errors = findings.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (first === undefined)
    return { ruleset: new Ruleset(files.flatMap(({ rules }) => rules)), warnings: findings };
  throw new PolicyError(errors.map(formatFinding).join("\n"), {
    code: "POLICY_INVALID",
    hint: `Correct line ${first.line} of ${first.file}; until then nothing is decided.`,
    findings,
  });
}

/**
 * What the directory's files hold, and everything that is wrong with it.
 * @throws PolicyError `POLICY_UNREADABLE`.
 */
export function readPolicies(directory: string): PolicyDirectory {
  const read = policyFilesIn(directory).flatMap((path) => {
    const text = readText(path);
    return text === undefined ? [] : [{ path, ...readDocument(text, path) }];
  });
  const findings = [
    ...read.flatMap((document) => document.findings),
    ...findingsBetween(read.flatMap(({ rules }) => rules)),
  ];
  return {
    files: read.map(({ path, rules }) => ({ path, rules: rules.map(({ rule }) => rule) })),
    findings: findings.toSorted(
      (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line,
    ),
  };
}

/**
 * The files of a directory that hold policies, sorted; none when there is no such directory.
 * @throws PolicyError `POLICY_UNREADABLE`.
 */
export function policyFilesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => POLICY_FILE.test(name) && !SUITE_FILE.test(name))
      .toSorted()
      .map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(directory, error);
  }
}

/** Undefined when it was removed since the directory was listed; a link that leads nowhere was not. */
function readText(path: string): string | undefined {
  try {
    const text = readFileSync(path);
    if (!isUtf8(text)) throw new TypeError("it is not UTF-8");
    return text.toString("utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (missing && lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): PolicyError {
  return new PolicyError(`The policies in ${path} cannot be read: ${(cause as Error).message}`, {
    code: "POLICY_UNREADABLE",
    hint: "Make it readable UTF-8 text, or move it away.",
    cause,
  });
}
