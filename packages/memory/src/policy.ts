// Apart from the rest, so that who has no policies loads no policy engine.
export { ARCHIVED_TAG } from "./policy/changed-content.ts";
export { type GovernanceDeps, governedMemory } from "./policy/governed-memory.ts";
export type { MemoryEffects } from "./policy/memory-effects.ts";
