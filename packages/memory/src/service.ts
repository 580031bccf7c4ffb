/** A memory and no more: for processes that start often, and neither back up nor sync. */
export { createMemory } from "./create-memory.ts";
export { decoratedMemory } from "./decorated-memory.ts";
export { memoryOutcomeClass } from "./metrics-mapping.ts";
export { redactedMemory } from "./redaction/redacted-memory.ts";
