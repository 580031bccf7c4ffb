import type { TriggerService } from "./trigger-service.ts";
import { type CallOptions, messageOf } from "./with-memory.ts";

export type ScopeOptions = Omit<CallOptions, "describe" | "name" | "on">;

/** A block whose end is noted, with what was said in it. */
export interface MemoryScope extends AsyncDisposable {
  /** Adds a line to what is remembered of the block. */
  note(line: string): void;
  /** The block failed, which its end cannot see by itself. Returns the error, to be thrown. */
  fail<E>(error: E): E;
}

const LINES_MAX = 100;
const LINE_LENGTH_MAX = 1_000;

/**
 * For `await using`: notes when the block ends, how long it took and what it said, and waits until
 * that is in the outbox. Disposing never throws.
 */
export function memoryScope(name: string, options: ScopeOptions): MemoryScope {
  const began = performance.now();
  const lines: string[] = [];
  let failure: { error: unknown } | undefined;
  let ended = false;
  return {
    note(line) {
      if (lines.length < LINES_MAX) lines.push(options.triggers.brief(line, LINE_LENGTH_MAX));
    },
    fail(error) {
      failure ??= { error };
      return error;
    },
    async [Symbol.asyncDispose]() {
      if (ended) return;
      ended = true;
      const { triggers, type, scope, tags, source, priority, metadata } = options;
      const outcome = failure === undefined ? "success" : "error";
      const head =
        failure === undefined
          ? `${name} ended`
          : `${name} failed: ${told(failure.error, triggers)}`;
      triggers.raise({
        type: type ?? outcome,
        text: [head, ...lines].join("\n"),
        outcome,
        durationMs: performance.now() - began,
        source: source ?? name,
        ...(scope === undefined ? {} : { scope }),
        ...(tags === undefined ? {} : { tags }),
        ...(priority === undefined ? {} : { priority }),
        ...(metadata === undefined ? {} : { metadata }),
      });
      await triggers.flush();
    },
  };
}

function told(error: unknown, triggers: TriggerService): string {
  return typeof error === "string" ? error : messageOf(error, triggers);
}
