import { fieldReader } from "../evaluate/field.ts";
import { PolicyError } from "../policy-error.ts";
import type { PolicyEvent } from "../policy-event.ts";

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

/**
 * Puts the event's own values in place of `{{field}}`; what is no text becomes JSON.
 * @throws PolicyError `POLICY_ACTION_FAILED` for a field that the event has not.
 */
export function fillIn(text: string, event: PolicyEvent): string {
  return text.replaceAll(PLACEHOLDER, (_, field: string) => {
    const value = fieldReader(field)(event);
    if (value === undefined)
      throw new PolicyError(`The event has no ${field} to put in place of {{${field}}}`, {
        code: "POLICY_ACTION_FAILED",
        hint: "Let the action's condition ask for it, or name another field.",
      });
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
