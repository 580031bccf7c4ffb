import { createHash } from "node:crypto";
import {
  type EffectContext,
  type EffectHandlers,
  fillIn,
  PolicyError,
  type PolicyEvent,
} from "@holdfast/policy";
import type { Memory } from "../memory.ts";
import type { Scope, WriteOptions } from "../memory-record.ts";
import {
  type Change,
  changes,
  type ChangingType,
  type Content,
  filledIn,
} from "./changed-content.ts";

/** The actions that do something to memories. */
export type MemoryEffects = Pick<
  EffectHandlers,
  "create_memory" | "recall_memory" | "delete_memory" | ChangingType
>;

/** What the call that raised an event gives to its effects. */
export interface CallUnderWay {
  writes: WriteOptions;
  /** The event's own memory, as long as it is not written yet. */
  draft?: Content;
}

const RECALL_LIMIT = 5;

/** Carries out policies on `memory`, below which no policy decides again. */
export function memoryEffects(
  memory: Memory,
  callOf: (event: PolicyEvent) => CallUnderWay | undefined,
): MemoryEffects {
  const writesOf = ({ event, signal }: EffectContext): WriteOptions => ({
    ...callOf(event)?.writes,
    signal,
  });
  const changing =
    <P extends { id?: string }>(change: Change<P>) =>
    async (parameters: P, context: EffectContext): Promise<unknown> => {
      const { event, signal } = context;
      const call = callOf(event);
      if (parameters.id === undefined && call?.draft !== undefined) {
        call.draft = change(call.draft, parameters, event);
        return { id: event.context?.["memory_id"] };
      }
      const id = targetOf(parameters.id, event);
      const { memory: record } = await memory.get(id, { signal });
      if (record === undefined) throw failed(`There is no memory ${id}`);
      const { text, tags, metadata } = change(record, parameters, event);
      await memory.update(id, { text, tags, metadata }, writesOf(context));
      return { id };
    };
  return {
    create_memory: async ({ text = "{{text}}", tags, metadata = {} }, context) => {
      const { event, effect } = context;
      const { id } = await memory.add(fillIn(text, event), {
        // The same for every attempt, so that one that was not answered leaves no second memory.
        id: `policy-${createHash("sha256").update(effect.key).digest("hex").slice(0, 32)}`,
        scope: scopeOf(event),
        metadata: filledIn(metadata, event),
        ...(tags === undefined ? {} : { tags }),
        ...writesOf(context),
      });
      return { id };
    },
    recall_memory: async ({ query = "{{text}}", limit = RECALL_LIMIT }, { event, signal }) => {
      const asked = fillIn(query, event);
      const { hits, degraded } = await memory.search(asked, {
        scope: scopeOf(event),
        limit: limit + 1,
        signal,
      });
      // What is known already: the memory that has just been written would be its own best answer.
      const known = hits.filter(({ id }) => id !== event.context?.["memory_id"]).slice(0, limit);
      return {
        query: asked,
        degraded,
        hits: known.map(({ id, text, score }) => ({ id, text, score })),
      };
    },
    delete_memory: async ({ id: given }, context) => {
      const id = targetOf(given, context.event);
      const { ids } = await memory.forget([id], writesOf(context));
      if (ids.length === 0) throw failed(`There is no memory ${id}`);
      return { id };
    },
    update_memory: changing(changes.update_memory),
    archive_memory: changing(changes.archive_memory),
    set_quality_score: changing(changes.set_quality_score),
    add_tag: changing(changes.add_tag),
    remove_tag: changing(changes.remove_tag),
  };
}

function targetOf(id: string | undefined, event: PolicyEvent): string {
  if (id !== undefined) return fillIn(id, event);
  const own = event.context?.["memory_id"];
  if (typeof own === "string") return own;
  throw failed(`A ${event.type} is about no single memory`);
}

/** A memory knows no task and no workflow. */
function scopeOf({ scope: { user, agent, session, project } }: PolicyEvent): Scope {
  return {
    ...(user !== undefined && { user }),
    ...(agent !== undefined && { agent }),
    ...(session !== undefined && { session }),
    ...(project !== undefined && { project }),
  };
}

function failed(message: string): PolicyError {
  return new PolicyError(message, {
    code: "POLICY_ACTION_FAILED",
    hint: "Name it by the action's parameter id, or let the action's condition ask for it.",
  });
}
