import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HoldfastError } from "@holdfast/core";
import {
  createRuleset,
  type PolicyFile,
  PolicyError,
  type PolicyRule,
  readPolicies,
  type RuleText,
  splitPolicyText,
  SqliteCounters,
  withoutRule,
} from "@holdfast/policy";
import { replaceFile, writeNewFile } from "../write-new-file.ts";
import { type PolicyPlace, shortPath } from "./policy-place.ts";

/** A rule of the folder, and where it stands. */
export interface PlacedRule {
  rule: PolicyRule;
  file: PolicyFile;
}

/** Every rule of the folder, valid together or not. @throws PolicyError `POLICY_UNREADABLE`. */
export function placedRules({ directory }: PolicyPlace): PlacedRule[] {
  const { files } = readPolicies(directory);
  return files.flatMap((file) => file.rules.map((rule) => ({ rule, file })));
}

/**
 * Puts each rule into the folder as a file of its own. With `force`, one of the same name is
 * replaced, and kept.
 * @returns the files written
 * @throws HoldfastError `POLICY_EXISTS`, `POLICY_NOT_SEPARABLE`, and `POLICY_CONFLICT` when all
 *   rules together would not be valid. Nothing is changed then.
 */
export function addRules(
  place: PolicyPlace,
  added: readonly RuleText[],
  { force, now }: { force: boolean; now: number },
): string[] {
  const present = placedRules(place);
  const names = new Set(added.map(({ rule }) => rule.name));
  const replaced = present.filter(({ rule }) => names.has(rule.name));
  const [first] = replaced;
  if (first !== undefined && !force)
    throw existing(first.rule.name, shortPath(place, first.file.path));
  const kept = present.filter(({ rule }) => !names.has(rule.name)).map(({ rule }) => rule);
  assertTogether([...kept, ...added.map(({ rule }) => rule)]);
  // Whether all can be taken out is known before the first is.
  for (const each of replaced) restWithout(place, each);
  mkdirSync(place.directory, { recursive: true, mode: 0o700 });
  for (const each of replaced) takeOut(place, each, now);
  return added.map((each) => {
    const path = freePath(place, each);
    // Another process may have added it this moment.
    if (writeNewFile(path, each.text)) return path;
    throw existing(each.rule.name, shortPath(place, path));
  });
}

/**
 * Takes a rule out of the folder, and keeps it.
 * @returns the file that keeps it
 * @throws HoldfastError `POLICY_UNKNOWN`, `POLICY_IN_USE`, `POLICY_NOT_SEPARABLE`.
 */
export function removeRule(place: PolicyPlace, name: string, now: number): string {
  const present = placedRules(place);
  const found = findRule(present, name);
  const users = present.filter(({ rule }) =>
    rule.actions.some((each) => each.type === "chain_policy" && each.parameters.policy === name),
  );
  const others = users.map(({ rule }) => rule.name).filter((each) => each !== name);
  if (others.length > 0)
    throw new HoldfastError(`${others.join(", ")} lead to ${name} by chain_policy`, {
      code: "POLICY_IN_USE",
      hint: `Change or remove ${others.join(", ")} first.`,
    });
  const kept = takeOut(place, found, now);
  forgetCounts(place, name);
  return kept;
}

/** Should the name be given again, it begins anew. */
function forgetCounts({ countersFile }: PolicyPlace, name: string): void {
  if (!existsSync(countersFile)) return;
  using counters = SqliteCounters.open(countersFile);
  counters.forget(name);
}

/** @throws HoldfastError `POLICY_UNKNOWN`. */
export function findRule(present: readonly PlacedRule[], name: string): PlacedRule {
  const found = present.find(({ rule }) => rule.name === name);
  if (found !== undefined) return found;
  throw new HoldfastError(`There is no policy ${name}`, {
    code: "POLICY_UNKNOWN",
    hint: "See their names with: holdfast memory policy list",
  });
}

function existing(name: string, file: string): HoldfastError {
  return new HoldfastError(`There is a policy ${name} already, in ${file}`, {
    code: "POLICY_EXISTS",
    hint: "Give it another name, or replace it with --force.",
  });
}

function assertTogether(rules: readonly PolicyRule[]): void {
  try {
    createRuleset(rules);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new HoldfastError(`With these the policies would not be valid: ${error.message}`, {
      code: "POLICY_CONFLICT",
      hint: "Nothing was added. Change them, or the policies that they lead to.",
      cause: error,
    });
  }
}

function restWithout(place: PolicyPlace, { rule, file }: PlacedRule): string {
  const rest = withoutRule(readFileSync(file.path, "utf8"), rule.name);
  if (rest !== undefined) return rest;
  const path = shortPath(place, file.path);
  // Or the file is not valid, and what it would be without the rule is not known.
  throw new HoldfastError(`${rule.name} cannot be told from the other rules of ${path}`, {
    code: "POLICY_NOT_SEPARABLE",
    hint: `Take it out of ${path} with an editor.`,
  });
}

/** Keeps the rule as a document of its own, then writes its file without it. */
function takeOut(place: PolicyPlace, placed: PlacedRule, now: number): string {
  const { rule, file } = placed;
  const text = readFileSync(file.path, "utf8");
  const rest = restWithout(place, placed);
  const own = splitPolicyText(text).find((each) => each.rule.name === rule.name);
  const stamp = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  mkdirSync(place.removedDirectory, { recursive: true, mode: 0o700 });
  const stem = join(place.removedDirectory, `${stamp}-${fileStem(rule.name)}`);
  const kept = `${stem}.${own?.format ?? "yaml"}`;
  replaceFile(kept, own?.text ?? text);
  if (rest === "") rmSync(file.path);
  else replaceFile(file.path, rest);
  return kept;
}

/** The rule's own file; with a number, should a file of that name hold other rules. */
function freePath({ directory }: PolicyPlace, { rule, format }: RuleText): string {
  const stem = fileStem(rule.name);
  for (let number = 1; ; number += 1) {
    const path = join(directory, `${stem}${number === 1 ? "" : `-${number}`}.${format}`);
    if (!existsSync(path)) return path;
  }
}

/** Readable, usable on every file system, and another for another name. */
function fileStem(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, 80);
  if (plain === name && plain === plain.toLowerCase() && !plain.startsWith("-")) return plain;
  return `${plain}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}
