import type { Decider, Effect, PolicyEvent } from "@holdfast/policy";
import { PolicyError } from "@holdfast/policy";
import type { NewMemory } from "../memory-record.ts";
import { changed, splitChanges } from "./changed-content.ts";
import { captureEvents } from "./memory-event.ts";

export interface GovernedCapture {
  /** As the policies leave it; undefined when one aborted. */
  memory: NewMemory | undefined;
  /** The rule that aborted. */
  abortedBy?: string;
  /** What rules wanted besides, and nobody does: a capture neither waits nor leads elsewhere. */
  leftOut: readonly Effect[];
}

/**
 * What policies make of a memory that a trigger is about to capture. They are asked twice: about
 * the trigger's own event, whose type is `type` and whose context the memory's metadata, and about
 * the `memory.add` that it leads to. What can be done at once is done: abort, skip, chain, and
 * changes to this memory.
 */
export function governedCapture(
  memory: NewMemory,
  { type, now, decider }: { type: string; now: number; decider: Pick<Decider, "decide"> },
): GovernedCapture {
  let draft = memory;
  const leftOut: Effect[] = [];
  for (const eventOf of captureEvents(type, now)) {
    const event = eventOf(draft);
    const { decision, effects } = decider.decide(event, now);
    const { own, others } = splitChanges(effects, { asynchronous: true });
    leftOut.push(...others);
    if (decision.kind === "abort") return { memory: undefined, abortedBy: decision.rule, leftOut };
    for (const effect of own) {
      const next = attempted(draft, effect, event);
      if (next === undefined) leftOut.push(effect);
      else draft = next;
    }
  }
  return { memory: draft, leftOut };
}

/** Undefined when the change needs what the event has not. */
function attempted(memory: NewMemory, effect: Effect, event: PolicyEvent): NewMemory | undefined {
  const { text, tags = [], metadata = {} } = memory;
  try {
    return { ...memory, ...changed({ text, tags, metadata }, effect.action, event) };
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}
