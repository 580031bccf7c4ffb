import { inspect, types } from "node:util";
import type { Metadata } from "@holdfast/store";
import { MemoryError } from "../memory-error.ts";
import type { Scope } from "../memory-record.ts";
import { CUT_MARGIN } from "./cut.ts";
import type { TriggerEvent, TriggerOutcome, TriggerType } from "./trigger-event.ts";
import type { TriggerService } from "./trigger-service.ts";

export interface CallOptions {
  triggers: TriggerService;
  /** What the call is named in the memory. Default: the function's own name. */
  name?: string;
  /** Default: `success` or `error`, by the outcome. */
  type?: TriggerType;
  /** Which outcomes are noted. Default both. */
  on?: readonly TriggerOutcome[];
  /** What is remembered of a call. Default: its name, arguments in brief, and the error. */
  describe?: (call: CallSummary) => string;
  scope?: Scope;
  tags?: readonly string[];
  source?: string;
  priority?: string | number;
  metadata?: Metadata;
}

export interface CallSummary {
  name: string;
  args: readonly unknown[];
  outcome: TriggerOutcome;
  /** What it returned, or a promise of it was fulfilled with; undefined after an error. */
  result: unknown;
  error: unknown;
  durationMs: number;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any function at all, whatever its types
type AnyFunction = (...args: any[]) => unknown;

/**
 * The same function, whose calls are noted: `this`, arguments, result and error are its own, and so
 * are its properties. Returned promises are followed to their end. Anything else that has a `then`
 * is handed on untouched, since asking it might start it, and counts as returned.
 * @throws MemoryError `TRIGGER_UNSUPPORTED` for a generator function, whose calls have no one end.
 */
export function withMemory<F extends AnyFunction>(fn: F, options: CallOptions): F {
  if (typeof fn !== "function") throw new TypeError("withMemory needs a function");
  if (types.isGeneratorFunction(fn)) throw unsupported(fn.name);
  const name = options.name ?? nameOf(fn);
  return new Proxy(fn, {
    apply(target, self: unknown, args: unknown[]): unknown {
      const began = performance.now();
      const note = (outcome: TriggerOutcome, result: unknown, error: unknown): void => {
        if (options.on?.includes(outcome) === false) return;
        const durationMs = performance.now() - began;
        options.triggers.raise(
          eventOf({ name, args, outcome, result, error, durationMs }, options),
        );
      };
      let result: unknown;
      try {
        result = Reflect.apply(target, self, args);
      } catch (error) {
        note("error", undefined, error);
        throw error;
      }
      if (!isPlainPromise(result)) {
        note("success", result, undefined);
        return result;
      }
      // A promise of its own, so that a rejection that nobody handles is still unhandled.
      return result.then(
        (value) => {
          note("success", value, undefined);
          return value;
        },
        (error: unknown) => {
          note("error", undefined, error);
          throw error;
        },
      );
    },
  });
}

function nameOf(fn: AnyFunction): string {
  try {
    const { name }: { name: unknown } = fn;
    if (typeof name === "string" && name !== "") return name;
  } catch {
    // A getter or a proxy that fails has none, which is no failure of a call.
  }
  return "anonymous";
}

/** What Node before 24 hangs on every promise while anybody follows asynchronous calls. */
const MARKS_OF_NODE = ["async_id_symbol", "trigger_async_id_symbol", "kResourceStore"];

/** A native promise without anything of its own: one that nobody can tell from another. */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  return (
    types.isPromise(value) &&
    Object.getPrototypeOf(value) === Promise.prototype &&
    Reflect.ownKeys(value).every(
      (key) => typeof key === "symbol" && MARKS_OF_NODE.includes(key.description ?? ""),
    )
  );
}

/** Describing costs more than calling: it waits until somebody reads the text. */
function eventOf(call: CallSummary, options: CallOptions): TriggerEvent {
  let text: string | undefined;
  const { outcome, durationMs } = call;
  const { describe = describeCall, scope, tags, source, priority, metadata } = options;
  return {
    type: options.type ?? outcome,
    get text() {
      return (text ??= describe(call, options.triggers));
    },
    outcome,
    durationMs,
    source: source ?? call.name,
    ...(scope === undefined ? {} : { scope }),
    ...(tags === undefined ? {} : { tags }),
    ...(priority === undefined ? {} : { priority }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function describeCall(
  { name, args, outcome, error }: CallSummary,
  triggers: TriggerService,
): string {
  const said = args.map((argument) => brief(argument, triggers));
  const call = `${name}(${said.join(", ")})`;
  return outcome === "success"
    ? `${call} succeeded`
    : `${call} failed: ${messageOf(error, triggers)}`;
}

const ARGUMENT_LENGTH_MAX = 300;
/** Of a string within an argument; the word in which it was cut may be half a secret. */
const CUT_WORD = /\S{0,512}\.\.\. \d+ more characters?/g;

/** Runs nothing of the value's own: no getters, no `inspect` methods, no proxy's traps. */
function brief(value: unknown, triggers: TriggerService): string {
  if (typeof value === "string") return inspect(triggers.brief(value, ARGUMENT_LENGTH_MAX));
  const text = inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 5,
    maxStringLength: CUT_MARGIN,
    customInspect: false,
    getters: false,
  });
  const whole = text.includes("... ") ? text.replaceAll(CUT_WORD, "…") : text;
  return triggers.brief(whole, ARGUMENT_LENGTH_MAX);
}

/** What an error says; of anything else thrown, what it is in brief. */
export function messageOf(error: unknown, triggers: TriggerService): string {
  return types.isNativeError(error) ? `${error.name}: ${error.message}` : brief(error, triggers);
}

function unsupported(name: string): MemoryError {
  return new MemoryError(
    `${name === "" ? "This" : name} is a generator function: its calls end where its caller stops, so they have no outcome to remember`,
    {
      code: "TRIGGER_UNSUPPORTED",
      hint: "Wrap the function that consumes it, or use a memoryScope around the loop.",
    },
  );
}
