import {
  type ActionParameters,
  type Effect,
  type EffectAction,
  fillIn,
  type PolicyEvent,
} from "@holdfast/policy";
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

/** What an action makes of a memory, if it is one of these; else the memory as it is. */
export function changed(content: Content, action: EffectAction, event: PolicyEvent): Content {
  if (!Object.hasOwn(changes, action.type)) return content;
  // Each takes the parameters of its own type, which the compiler cannot follow here.
  const change = changes[action.type as ChangingType] as Change<unknown>;
  return change(content, action.parameters ?? {}, event);
}

/**
 * Splits off the changes to the event's own memory, which become part of its write; asynchronous
 * ones follow it, unless they are to be taken too.
 */
export function splitChanges(
  effects: readonly Effect[],
  { asynchronous = false }: { asynchronous?: boolean } = {},
): { own: readonly Effect[]; others: readonly Effect[] } {
  const isOwn = ({ action }: Effect): boolean => {
    if (!Object.hasOwn(changes, action.type)) return false;
    if (action.async_execution === true && !asynchronous) return false;
    return ((action.parameters ?? {}) as { id?: string }).id === undefined;
  };
  return { own: effects.filter(isOwn), others: effects.filter((effect) => !isOwn(effect)) };
}
