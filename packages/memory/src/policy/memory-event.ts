import { randomUUID } from "node:crypto";
import type { PolicyEvent } from "@holdfast/policy";
import type { Filter, MemoryChanges, MemoryRecord, NewMemory } from "../memory-record.ts";

/** The event of a memory that is about to be added. */
export function addEvent(memory: NewMemory & { id: string }, at: number): PolicyEvent {
  const { id, text, tags = [], metadata = {}, scope = {}, raisedAs = "memory.add" } = memory;
  return { ...made(raisedAs, at), scope, text, tags, metadata, context: { memory_id: id } };
}

/** The event of a memory that is about to be changed, as it would be afterwards. */
export function updateEvent(
  memory: MemoryRecord,
  changes: MemoryChanges,
  at: number,
): PolicyEvent & { text: string } {
  const { id, scope } = memory;
  return {
    ...made("memory.update", at),
    scope,
    text: changes.text ?? memory.text,
    tags: changes.tags ?? memory.tags,
    metadata: changes.metadata ?? memory.metadata,
    context: { memory_id: id, changed: Object.keys(changes) },
  };
}

/** The event of a recall that is about to be made: its text is the query. */
export function searchEvent(query: string, filter: Filter, at: number): PolicyEvent {
  return { ...made("memory.search", at), ...filtered(filter), text: query };
}

/** The event of a memory that is about to be forgotten; of one written elsewhere only the id is known. */
export function forgetEvent(id: string, memory: MemoryRecord | undefined, at: number): PolicyEvent {
  const event = { ...made("memory.forget", at), scope: {}, context: { memory_id: id } };
  if (memory === undefined) return event;
  const { scope, text, tags, metadata } = memory;
  return { ...event, scope, text, tags, metadata };
}

const made = (type: string, at: number): { id: string; type: string; at: number } => ({
  id: randomUUID(),
  type,
  at,
});

function filtered({
  scope = {},
  tags = [],
  where = {},
}: Filter): Pick<PolicyEvent, "scope" | "tags" | "metadata"> {
  return { scope, tags, metadata: where };
}
