import { MemoryError } from "../memory-error.ts";
import { type CallOptions, withMemory } from "./with-memory.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- any method at all, whatever its types
type AnyMethod = (this: any, ...args: any[]) => unknown;

/**
 * A standard decorator: the method's calls are noted as `withMemory` notes them. Needs a compiler,
 * since Node does not parse decorators.
 * @throws MemoryError `TRIGGER_UNSUPPORTED` for what is no method, and for generators.
 */
export function remember(
  options: CallOptions,
): <M extends AnyMethod>(method: M, context: ClassMethodDecoratorContext) => M {
  return (method, context) => {
    if (context.kind !== "method") {
      throw new MemoryError(`@remember is for methods, not for a ${String(context.kind)}`, {
        code: "TRIGGER_UNSUPPORTED",
        hint: "Put it on a method.",
      });
    }
    return withMemory(method, { name: String(context.name), ...options });
  };
}
