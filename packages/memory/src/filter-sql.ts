import type { SQLInputValue } from "node:sqlite";
import type { MetadataValue } from "@holdfast/store";
import type { Filter } from "./memory-record.ts";

/** A condition on the table `memory` with its parameters, ready to stand behind WHERE. */
export interface Condition {
  sql: string;
  parameters: SQLInputValue[];
}

/** What a filter means in the mirror; memories that expired by `now` never match. */
export function filterSql(collection: number, filter: Filter, now: number): Condition {
  const parts = ["memory.collection = ?", "(memory.expires_at IS NULL OR memory.expires_at > ?)"];
  const parameters: SQLInputValue[] = [collection, now];
  for (const key of ["user", "agent", "session", "project"] as const) {
    const value = filter.scope?.[key];
    if (value === undefined) continue;
    parts.push(`memory.scope_${key} = ?`);
    parameters.push(value);
  }
  for (const tag of filter.tags ?? []) {
    parts.push("EXISTS (SELECT 1 FROM tag WHERE tag.tag = ? AND tag.memory = memory.memory)");
    parameters.push(tag);
  }
  for (const tag of filter.exceptTags ?? []) {
    parts.push("NOT EXISTS (SELECT 1 FROM tag WHERE tag.tag = ? AND tag.memory = memory.memory)");
    parameters.push(tag);
  }
  for (const [key, value] of Object.entries(filter.where ?? {})) {
    parts.push(
      `EXISTS (SELECT 1 FROM json_each(memory.metadata) AS pair WHERE pair.key = ? AND ${valueSql(value)})`,
    );
    parameters.push(key);
    if (typeof value === "number") parameters.push(JSON.stringify(value));
    if (typeof value === "string") parameters.push(value);
  }
  return { sql: parts.join(" AND "), parameters };
}

/** Whether a filter names anything at all. */
export function isEmptyFilter(filter: Filter): boolean {
  return (
    Object.values(filter.scope ?? {}).every((value) => value === undefined) &&
    (filter.tags ?? []).length === 0 &&
    Object.keys(filter.where ?? {}).length === 0
  );
}

function valueSql(value: MetadataValue): string {
  if (typeof value === "boolean") return `pair.type = '${value}'`;
  // Read by SQLite itself: its older releases round what they read in the last digit.
  if (typeof value === "number")
    return "pair.type IN ('integer', 'real') AND pair.value = json_extract(?, '$')";
  return "pair.type = 'text' AND pair.value = ?";
}
