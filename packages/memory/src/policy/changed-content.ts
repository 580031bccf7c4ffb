import { type ActionParameters, type Effect, fillIn, type PolicyEvent } from "@holdfast/policy";
import type { Metadata } from "@holdfast/store";

/** What policies may change of a memory. */
export interface Content {
  text: string;
  tags: readonly string[];
  metadata: Metadata;
}

/** The tag of memories that are kept, listed and got, and no longer recalled. */
export const ARCHIVED_TAG = "archived";

export type ChangingType =
  | "update_memory"
  | "archive_memory"
  | "set_quality_score"
  | "add_tag"
  | "remove_tag";

/** What an action makes of a memory. @throws PolicyError `POLICY_ACTION_FAILED`. */
export type Change<P> = (content: Content, parameters: P, event: PolicyEvent) => Content;

export const changes: { readonly [T in ChangingType]: Change<ActionParameters[T]> } = {
  update_memory: (content, { text, tags, metadata }, event) => ({
    text: text === undefined ? content.text : fillIn(text, event),
    tags: tags ?? content.tags,
    metadata: { ...content.metadata, ...filledIn(metadata ?? {}, event) },
  }),
  archive_memory: (content, _, event) => ({
    ...content,
    tags: [...new Set([...content.tags, ARCHIVED_TAG])],
    metadata: { ...content.metadata, archived_at: event.at },
  }),
  set_quality_score: (content, { score }) => ({
    ...content,
    metadata: { ...content.metadata, quality_score: score },
  }),
  add_tag: (content, { tag }) => ({ ...content, tags: [...new Set([...content.tags, tag])] }),
  remove_tag: (content, { tag }) => ({
    ...content,
    tags: content.tags.filter((each) => each !== tag),
  }),
};

/** Metadata whose texts may hold `{{field}}`. */
export function filledIn(metadata: Metadata, event: PolicyEvent): Metadata {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      typeof value === "string" ? fillIn(value, event) : value,
    ]),
  );
}

/** Splits off the changes to the event's own memory, which become part of its write. */
export function splitChanges(effects: readonly Effect[]): {
  own: readonly Effect[];
  others: readonly Effect[];
} {
  return { own: effects.filter(isOwn), others: effects.filter((effect) => !isOwn(effect)) };
}

function isOwn({ action }: Effect): boolean {
  if (!Object.hasOwn(changes, action.type) || action.async_execution === true) return false;
  return ((action.parameters ?? {}) as { id?: string }).id === undefined;
}
