import type { EventData } from "./series.ts";

const FIELDS_MAX = 32;
const TEXT_LENGTH_MAX = 2_000;

/** A bounded copy of an event's fields: plain values only, long texts cut. Never throws. */
export function eventData(data: unknown): EventData {
  const plain: Record<string, string | number | boolean | null> = {};
  if (typeof data !== "object" || data === null) return plain;
  for (const [name, value] of Object.entries(data).slice(0, FIELDS_MAX)) {
    if (typeof value === "string") plain[name] = value.slice(0, TEXT_LENGTH_MAX);
    else if (typeof value === "boolean" || value === null) plain[name] = value;
    else if (typeof value === "number" && Number.isFinite(value)) plain[name] = value;
  }
  return plain;
}
