import type { MemoryContent } from "../record-codec.ts";

/** How long memories of a kind are kept. */
export interface LifecycleRule {
  /** Of memories whose metadata `category` is this. */
  category?: string;
  /** Of memories with this tag. With both, of those that have both. */
  tag?: string;
  /** Milliseconds since the last write; undefined keeps them for good. */
  ttlMs: number | undefined;
}

/** How long memories are kept that say nothing about it themselves. */
export interface Lifecycle {
  /** The first rule that fits counts. */
  rules: readonly LifecycleRule[];
  /** For memories that no rule fits; undefined keeps them for good. */
  defaultMs: number | undefined;
}

/**
 * When a memory has been kept long enough, in wall-clock milliseconds; undefined for never. What
 * it says itself (its own ttl) counts before any rule.
 */
export function endOf(content: MemoryContent, lifecycle: Lifecycle): number | undefined {
  if (content.expiresAt !== undefined) return content.expiresAt;
  const rule = lifecycle.rules.find((candidate) => fits(candidate, content));
  const ttlMs = rule === undefined ? lifecycle.defaultMs : rule.ttlMs;
  return ttlMs === undefined ? undefined : content.updatedAt + ttlMs;
}

function fits({ category, tag }: LifecycleRule, { metadata, tags }: MemoryContent): boolean {
  if (category !== undefined && metadata["category"] !== category) return false;
  return tag === undefined || tags.includes(tag);
}
