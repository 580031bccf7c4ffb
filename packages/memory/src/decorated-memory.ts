import type { Memory } from "./memory.ts";

/** The same memory but for `methods`; all else is asked of it itself. */
export function decoratedMemory(memory: Memory, methods: Partial<Memory>): Memory {
  return new Proxy(memory, {
    get(target, key): unknown {
      if (Object.hasOwn(methods, key)) return methods[key as keyof Memory];
      const value: unknown = Reflect.get(target, key, target);
      // On the proxy it would not find its private state.
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
