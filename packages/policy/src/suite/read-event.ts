import {
  checkSchema,
  formatFinding,
  parseYaml,
  plainData,
  positionAt,
  YamlError,
  type YamlNode,
} from "@holdfast/document";
import { PolicyError } from "../policy-error.ts";
import type { PolicyEvent } from "../policy-event.ts";
import { eventProperties } from "./event-schema.ts";
import { violationFindings } from "./violation-findings.ts";

export interface ReadEventOptions {
  /** Named in errors: a file, or where else the text came from. */
  file: string;
  /** Wall-clock milliseconds, for an event that states no `at`. */
  now: number;
}

/**
 * Reads an event as people write it, JSON or YAML. What is left out is filled in: `type` is
 * `memory.add`, `at` is now. A name that is no part of an event becomes part of its `context`, which
 * is where conditions look for it.
 * @throws PolicyError `POLICY_EVENT_INVALID`, with what was expected, and where.
 */
export function readEvent(text: string, { file, now }: ReadEventOptions): PolicyEvent {
  const root = parse(text, file);
  const violations = checkSchema(root, { type: "object", properties: eventProperties });
  const findings = violationFindings(violations, text, file);
  if (findings.length > 0)
    throw new PolicyError(findings.map(formatFinding).join("\n"), {
      code: "POLICY_EVENT_INVALID",
      hint: 'An event is an object such as {"type": "memory.add", "text": "…", "scope": {"user": "ada"}}.',
      findings,
    });
  return completeEvent(plainData(root) as Partial<PolicyEvent>, { id: "event", at: now });
}

/** An event with what was left out; other names are moved into its context. */
export function completeEvent(
  written: Partial<PolicyEvent>,
  { id, at }: { id: string; at: number },
): PolicyEvent {
  const entries = Object.entries(written);
  const own = entries.filter(([key]) => Object.hasOwn(eventProperties, key));
  const other = entries.filter(([key]) => !Object.hasOwn(eventProperties, key));
  const context = { ...Object.fromEntries(other), ...written.context };
  return {
    id,
    type: "memory.add",
    at,
    scope: {},
    ...Object.fromEntries(own),
    ...(Object.keys(context).length === 0 ? {} : { context }),
  };
}

function parse(text: string, file: string): YamlNode {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, column } = positionAt(text, error.offset);
    throw new PolicyError(`${file}:${line}:${column}: ${error.message}`, {
      code: "POLICY_EVENT_INVALID",
      hint: "Write the event as JSON, or as YAML.",
      cause: error,
    });
  }
}
