import type { Metadata, MetadataValue } from "@holdfast/store";
import type { NewMemory, Scope } from "../memory-record.ts";
import { type Redact, redactedCut } from "./cut.ts";

/** What can be noted; each is a tag, and the category by which retention finds it. */
export const TRIGGER_TYPES = [
  "command",
  "workflow",
  "agent",
  "task",
  "success",
  "error",
  "pattern",
  "decision",
] as const;

export type TriggerType = (typeof TRIGGER_TYPES)[number];

export type TriggerOutcome = "success" | "error";

/** Something that happened, to be remembered if policy says so. */
export interface TriggerEvent {
  readonly type: TriggerType;
  /** What happened, in words; what is recalled later. */
  readonly text: string;
  readonly outcome?: TriggerOutcome;
  readonly durationMs?: number;
  readonly scope?: Scope;
  readonly tags?: readonly string[];
  /** What raised it: a command, a tool, a hook. */
  readonly source?: string;
  readonly priority?: string | number;
  readonly metadata?: Metadata;
  /** Further data; kept as JSON, cut to the bound on a text. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** An event as a decider sees it. */
export interface RaisedEvent extends TriggerEvent {
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly scope: Scope;
}

export interface TriggerDecision {
  capture: boolean;
  /** Tags that are added to what is captured. */
  tags?: readonly string[];
  /** Lifetime of what is captured, in milliseconds. */
  ttlMs?: number;
}

/**
 * Says whether an event is remembered. It sees the event before redaction, so it must keep nothing
 * of it. One that throws is counted, and the event is captured: memory fails open.
 */
export interface TriggerDecider {
  decide(event: RaisedEvent): TriggerDecision;
}

/** Bounds on what is captured. */
export interface TriggerBounds {
  /** Shorter texts are not captured, in characters. Default 1. */
  textLengthMin: number;
  /** Longer texts lose their middle, in characters. Default 8,000. */
  textLengthMax: number;
}

export const TRIGGER_BOUNDS: TriggerBounds = { textLengthMin: 1, textLengthMax: 8_000 };

/**
 * An event as a memory; undefined when its text is too short to be one. What is cut is redacted
 * first, and nothing else is.
 */
export function memoryOfEvent(
  event: TriggerEvent,
  decision: TriggerDecision,
  bounds: TriggerBounds,
  redact: Redact,
): NewMemory | undefined {
  const text = event.text.trim();
  if (text.length === 0 || text.length < bounds.textLengthMin) return undefined;
  const { outcome, durationMs, source, priority, context } = event;
  const metadata: Record<string, MetadataValue> = {
    ...event.metadata,
    category: event.type,
    ...(outcome === undefined ? {} : { outcome }),
    ...(durationMs === undefined ? {} : { duration_ms: Math.round(durationMs * 10) / 10 }),
    ...(source === undefined ? {} : { source }),
    ...(priority === undefined ? {} : { priority }),
    ...(context === undefined
      ? {}
      : { context: redactedCut(jsonOf(context), bounds.textLengthMax, redact) }),
    ...(text.length > bounds.textLengthMax ? { cut: true } : {}),
  };
  return {
    text: redactedCut(text, bounds.textLengthMax, redact),
    raisedAs: event.type,
    metadata,
    tags: [...new Set([event.type, ...(event.tags ?? []), ...(decision.tags ?? [])])],
    ...(event.scope === undefined ? {} : { scope: event.scope }),
    ...(decision.ttlMs === undefined ? {} : { ttlMs: decision.ttlMs }),
  };
}

function jsonOf(context: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(context);
  } catch (error) {
    return JSON.stringify({ unserializable: String(error) });
  }
}
