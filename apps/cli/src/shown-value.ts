import { createRedactor } from "@holdfast/memory/capture";

const redactor = createRedactor({ highEntropy: false });

/**
 * A value of the configuration as it may be shown: text that is no secret by its key may hold one, as
 * a webhook's address or a command's argument does.
 */
export function shownText(text: string): string {
  return redactor.redact(text).text;
}

/** {@link shownText} of all text in a value. */
export function shownValue(value: unknown): unknown {
  if (typeof value === "string") return shownText(value);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shownValue(item)]));
}
